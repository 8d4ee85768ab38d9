"""Training of the demo model from scratch: `python -m models.demo.train [--pools 34]`."""

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
from models.demo.tokens import Packed, batch, fit, pack

SEED = 7

POOL_SIZE = 384
"""Groups that are sorted by length before they are batched."""

BATCH_TOKENS = 6000
"""Maximum tokens per batch, padding included."""

PEAK_RATE = 3e-3
"""Highest learning rate."""

SAVE_INTERVAL = 150.0
"""Seconds between two checkpoints."""


def pools(corpus: Corpus, tokenizer: Tokenizer, count: int) -> Iterator[tuple[float, dict]]:
    """Yield the progress of the training, 0 to 1, and a batch of rows of similar length."""
    rng = random.Random(SEED)
    groups = corpus.groups(SEED)
    for pool in range(count):
        rows = [pack(g, tokenizer, rng) for g in islice(groups, POOL_SIZE)]
        rows.sort(key=lambda r: len(r.ids))
        batches = []
        current: list[Packed] = []
        for row in rows:
            if current and (len(current) + 1) * len(row.ids) > BATCH_TOKENS:
                batches.append(current)
                current = []
            current.append(row)
        batches.append(current)
        rng.shuffle(batches)
        for number, chosen in enumerate(batches):
            yield (pool + number / len(batches)) / count, batch(chosen)


def rate(progress: float) -> float:
    """Return the learning rate: linear warm-up, then cosine decay."""
    warm_up = min(1.0, progress / 0.03)
    return PEAK_RATE * warm_up * (0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2)


def loss_of(model: Qwen3, data: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the mean cross-entropy, weighted by token."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model(data["ids"], data["positions"], data["mask"])
        row, place = data["weights"].nonzero(as_tuple=True)
        logits = model.logits(hidden[row, data["before"][row, place]])
    weights = data["weights"][row, place]
    each = F.cross_entropy(logits.float(), data["ids"][row, place], reduction="none")
    return (each * weights).sum() / weights.sum()


def optimizer_of(model: Qwen3) -> torch.optim.Optimizer:
    """Return AdamW without weight decay for norms."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.95),
        fused=True,
    )


def train(folder: Path, count: int, threads: int) -> None:
    """Train for `count` pools; save model.pt and tokenizer.json in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    torch.set_num_threads(threads)
    corpus = Corpus()
    tokenizer = fit(corpus, folder / "tokenizer.json")
    model = Qwen3(Shape())
    optimizer = optimizer_of(model)
    start = time.monotonic()
    saved = start
    tokens = 0
    mean_loss = 0.0
    for step, (progress, data) in enumerate(pools(corpus, tokenizer, count)):
        for part in optimizer.param_groups:
            part["lr"] = rate(progress)
        loss = loss_of(model, data)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += data["ids"].numel()
        mean_loss = loss.item() if not step else 0.95 * mean_loss + 0.05 * loss.item()
        if step % 20 == 0:
            seconds = time.monotonic() - start
            print(f"{progress:.3f} step {step} loss {mean_loss:.4f} {seconds:.0f}s", end=" ")
            print(f"{tokens / max(seconds, 1):.0f} tok/s", flush=True)
        if time.monotonic() - saved > SAVE_INTERVAL:
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
