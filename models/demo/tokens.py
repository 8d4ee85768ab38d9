"""Tokenizer, and groups packed as tensors: a shared prompt followed by its continuations."""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from models.demo.chat import SPECIAL
from models.demo.corpus import Corpus, Group

VOCABULARY = 2048
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def fit(corpus: Corpus, path: Path) -> Tokenizer:
    """Train a byte-level BPE tokenizer that llama.cpp loads as "qwen2", and save it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.lines(1, 3000), trainer)
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIAL])
    tokenizer.save(str(path))
    return tokenizer


@dataclass(frozen=True)
class Packed:
    """Group packed into one row.

    Attributes:
        ids: tokens of the prompt, then of each continuation.
        positions: position of each token in prompt plus continuation.
        branch: 0 for the prompt, then the number of the continuation. A token attends to the prompt
            and its own branch, up to itself.
        weights: weight of each token in the loss.
        before: index of the token whose logits predict it.
    """

    ids: list[int]
    positions: list[int]
    branch: list[int]
    weights: list[float]
    before: list[int]


def pack(group: Group, tokenizer: Tokenizer, rng: random.Random) -> Packed:
    """Return the group as one row, in which the prompt is computed once for all continuations."""
    ids = tokenizer.encode(group.prompt).ids
    count = len(ids)
    row = Packed(
        ids,
        list(range(count)),
        [0] * count,
        [0.0] + [0.1 if rng.random() < 0.08 and group.kind == "write" else 0.0] * (count - 1),
        [0, *range(count - 1)],
    )
    for number, tail in enumerate(group.tails, 1):
        coded = tokenizer.encode(tail)
        begin = tail.rindex(group.goal) if group.goal else 0
        start = len(row.ids)
        row.before.extend([count - 1, *range(start, start + len(coded.ids) - 1)])
        row.ids.extend(coded.ids)
        row.positions.extend(range(count, count + len(coded.ids)))
        row.branch.extend([number] * len(coded.ids))
        row.weights.extend(_weight(group, tail, begin, at) for at, _ in coded.offsets)
    return row


def _weight(group: Group, tail: str, begin: int, at: int) -> float:
    if at < begin:
        return 0.0
    if group.kind != "judge":
        return 1.0 if group.kind == "write" else 0.4
    label = begin + len(group.goal)
    return 4.0 if label <= at < tail.index('"', label) else 0.15


def batch(rows: list[Packed]) -> dict[str, torch.Tensor]:
    """Return padded rows as tensors, with the attention mask."""
    width = max(len(r.ids) for r in rows)

    def stack(name: str, blank: float) -> torch.Tensor:
        lists = [getattr(r, name) for r in rows]
        return torch.tensor([v + [blank] * (width - len(v)) for v in lists])

    branch = stack("branch", -1)
    order = torch.arange(width)
    mask = (branch[:, None, :] == branch[:, :, None]) | (branch[:, None, :] == 0)
    mask = mask & (order[None, :] <= order[:, None])
    return {
        "ids": stack("ids", 0),
        "positions": stack("positions", 0),
        "weights": stack("weights", 0.0),
        "before": stack("before", 0),
        "mask": mask[:, None],
    }
