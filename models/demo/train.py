"""Trains the demo model from nothing: `python -m models.demo.train [--pools 34]`."""

import argparse
import math
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

from models.demo.corpus import Corpus
from models.demo.model import Qwen3, Shape
from models.demo.tokens import batch, fit, pack

SEED = 7
POOL = 384
TOKENS = 6000
PEAK = 3e-3


def pools(corpus: Corpus, tokenizer: Tokenizer, count: int) -> Iterator[tuple[float, dict]]:
    """Yield how far the training has come, and a batch of rows of like length."""
    rng = random.Random(SEED)
    groups = corpus.groups(SEED)
    for pool in range(count):
        rows = [pack(g, tokenizer, rng) for g in islice(groups, POOL)]
        rows.sort(key=lambda r: len(r.ids))
        batches, current = [], []
        for row in rows:
            if current and (len(current) + 1) * len(row.ids) > TOKENS:
                batches.append(current)
                current = []
            current.append(row)
        batches.append(current)
        rng.shuffle(batches)
        for number, chosen in enumerate(batches):
            yield (pool + number / len(batches)) / count, batch(chosen)


def rate(progress: float) -> float:
    """Return the learning rate: a short rise, then half a cosine."""
    rise = min(1.0, progress / 0.03)
    return PEAK * rise * (0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2)


def loss_of(model: Qwen3, data: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the weighted mean loss of the tokens that count."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(data["ids"], data["positions"], data["seen"])
        row, place = data["weights"].nonzero(as_tuple=True)
        logits = model.logits(hidden[row, data["before"][row, place]])
    weights = data["weights"][row, place]
    each = F.cross_entropy(logits.float(), data["ids"][row, place], reduction="none")
    return (each * weights).sum() / weights.sum()


def optimizer_of(model: Qwen3) -> torch.optim.Optimizer:
    """Return AdamW, without decay for norms."""
    wide = [p for p in model.parameters() if p.dim() == 2]
    thin = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": wide, "weight_decay": 0.1}, {"params": thin, "weight_decay": 0.0}],
        betas=(0.9, 0.95),
        fused=True,
    )


def train(folder: Path, count: int, threads: int) -> None:
    """Train for `count` pools and save model.pt and tokenizer.json in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    torch.set_num_threads(threads)
    corpus = Corpus()
    tokenizer = fit(corpus, folder / "tokenizer.json")
    model = Qwen3(Shape())
    optimizer = optimizer_of(model)
    begin, saved, tokens, mean = time.monotonic(), time.monotonic(), 0, 0.0
    for step, (progress, data) in enumerate(pools(corpus, tokenizer, count)):
        for part in optimizer.param_groups:
            part["lr"] = rate(progress)
        loss = loss_of(model, data)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += data["ids"].numel()
        mean = loss.item() if not step else 0.95 * mean + 0.05 * loss.item()
        if step % 20 == 0:
            spent = time.monotonic() - begin
            print(f"{progress:.3f} step {step} loss {mean:.4f} {spent:.0f}s", end=" ")
            print(f"{tokens / max(spent, 1):.0f} tok/s", flush=True)
        if time.monotonic() - saved > 150:
            torch.save(model.state_dict(), folder / "model.pt")
            saved = time.monotonic()
    torch.save(model.state_dict(), folder / "model.pt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/demo-training"))
    parser.add_argument("--pools", type=int, default=34)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    train(options.folder, options.pools, options.threads)
