"""What does one decode step cost? `python -m benchmarks.step --model FILE.gguf [--slots 32]`

A step computes one token for every slot. Streams are filled by copies of one prompt; a unified
cache either with one prompt shared by all ("shared") or with a prompt for each ("own"). Prints the
median of seven steps.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import shapes
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel

WAYS = {
    "streams": (False, True, "f16", True),
    "streams, no flash": (False, False, "f16", True),
    "streams, q8_0": (False, True, "q8_0", True),
    "streams, f32": (False, True, "f32", True),
    "unified, shared": (True, True, "f16", True),
    "unified, own": (True, True, "f16", False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="made if it is not there")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--depth", type=int, default=384)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    size = options.depth + 64
    base = ContextParams(options.slots, size, 512, options.threads)
    for _ in range(options.rounds):
        for name, (unified, flash, kind, is_copied) in WAYS.items():
            shape = replace(base, unified=unified, flash=flash, kv_type=kind)
            found = step(llama, shape, options.depth, is_copied=is_copied)
            print(f"{name:18} {1000 * found:6.0f} ms, {options.slots / found:5.0f} tokens/s")
        print(f"{'empty':18} {1000 * step(llama, base, 0, is_copied=True):6.0f} ms", flush=True)


def step(llama: LlamaModel, shape: ContextParams, depth: int, *, is_copied: bool) -> float:
    """Return the median seconds of a step with `depth` tokens behind every slot; with one thread
    the processor's, which other work beside it hardly lengthens."""
    clock = time.process_time if shape.threads == 1 else time.perf_counter
    context, random = LlamaContext(llama, shape), np.random.default_rng(0)

    def decode(slots: np.ndarray, positions: np.ndarray, wanted: np.ndarray) -> None:
        tokens = random.integers(300, 2000, len(slots)).astype(np.int32)
        context.decode(tokens, positions.astype(np.int32), slots.astype(np.int32), wanted)

    for slot in range(shape.slots if depth else 0):
        if is_copied and slot:
            context.fork(0, slot, depth)
            continue
        for start in range(0, depth, shape.batch):
            places = np.arange(start, min(depth, start + shape.batch))
            decode(np.full(len(places), slot), places, places == depth - 1)
    times = []
    for i in range(8):
        begin = clock()
        everyone = np.arange(shape.slots)
        decode(everyone, np.full(shape.slots, depth + i), np.ones(shape.slots, bool))
        times.append(clock() - begin)
    context.close()
    return median(times[1:])


if __name__ == "__main__":
    main()
