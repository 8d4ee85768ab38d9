"""Time of one decode step by the number of sequences in it, and by their slots.

    python -m benchmarks.rows --model FILE.gguf [--slots 32] [--rows 1 2 4 8 16 24 28 32]

Every slot has the same prompt of --depth tokens, one stream per slot. The sequences are in adjacent
slots, evenly spread over the slots, or adjacent but in random order in the batch: llama.cpp
computes streams in one pass only if their numbers are ascending without gaps. "copy" is the time to
copy one stream to another one. Prints the median of --steps steps, the orders in turn; with one
thread it is CPU time, which other load on the machine hardly changes.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import shapes
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel


class Steps:
    """Decode steps of a context whose slots all have the same tokens."""

    def __init__(self, llama: LlamaModel, shape: ContextParams, depth: int) -> None:
        """Fill all slots with `depth` tokens."""
        self._clock = time.process_time if shape.threads == 1 else time.perf_counter
        self._context = LlamaContext(llama, shape)
        self._depth = depth
        for start in range(0, depth, shape.batch):
            positions = np.arange(start, min(depth, start + shape.batch))
            self._decode(np.zeros(len(positions), int), positions)
        for slot in range(1, shape.slots):
            self._context.fork(0, slot, depth)

    def _decode(self, slots: np.ndarray, positions: np.ndarray) -> None:
        tokens = 300 + positions % 1000
        batch = (values.astype(np.int32) for values in (tokens, positions, slots))
        self._context.decode(*batch, np.ones(len(slots), np.bool_))

    def step(self, slots: np.ndarray) -> float:
        """Return the seconds of a step with a token in each of the slots."""
        start = self._clock()
        self._decode(slots, np.full(len(slots), self._depth))
        seconds = self._clock() - start
        for slot in slots.tolist():
            self._context.trim(slot, self._depth)
        return seconds

    def copy(self) -> float:
        """Return the seconds by which a copied stream lengthens a step."""
        plain = self.step(np.zeros(1, int))
        self._context.fork(0, 1, self._depth)
        return self.step(np.zeros(1, int)) - plain

    def close(self) -> None:
        """Free the context."""
        self._context.close()


def main() -> None:
    """Print a row per number of sequences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file; written if missing")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 2, 4, 8, 16, 24, 28, 32])
    parser.add_argument("--depth", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--flash", action="store_true", help="flash attention")
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    shape = ContextParams(
        options.slots, options.depth + 64, 512, options.threads, flash=options.flash
    )
    steps = Steps(llama, shape, options.depth)
    steps.step(np.arange(options.slots))
    print("| sequences | adjacent slots | spread slots | random order |")
    print("| ---: | ---: | ---: | ---: |")
    for rows in options.rows:
        print(f"| {rows} | " + " | ".join(cells(steps, rows, options)) + " |", flush=True)
    print(f"copy of a stream: {1e3 * median(steps.copy() for _ in range(options.steps)):.1f} ms")
    steps.close()


def cells(steps: Steps, rows: int, options: argparse.Namespace) -> list[str]:
    """Return the milliseconds of a step with `rows` sequences, for each choice of slots."""
    random = np.random.default_rng(0)
    adjacent = np.arange(rows)
    choices = (
        lambda: adjacent,
        lambda: adjacent * options.slots // rows,
        lambda: random.permutation(rows),
    )
    times: list[list[float]] = [[], [], []]
    for _ in range(options.steps):
        for taken, slots in zip(times, choices, strict=True):
            taken.append(steps.step(slots()))
    return [f"{1e3 * median(taken):.1f} ms" for taken in times]


if __name__ == "__main__":
    main()
