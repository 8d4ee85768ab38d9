"""Time of one decode step by KV cache layout, flash attention and KV cache type.

    python -m benchmarks.step --model FILE.gguf [--slots 32]

A step decodes one token per slot. Streams are filled with copies of one prompt; a unified cache
either with one prompt shared by all slots ("shared") or with one prompt per slot ("own"). Prints
the median of seven steps.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import shapes
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel


@dataclass(frozen=True)
class Variant:
    """Context parameters of a measurement, and whether one prompt fills all slots."""

    unified: bool = False
    flash: bool = True
    kv_type: str = "f16"
    is_shared: bool = True


VARIANTS = {
    "per-slot": Variant(),
    "per-slot, no flash": Variant(flash=False),
    "per-slot, q8_0": Variant(kv_type="q8_0"),
    "per-slot, f32": Variant(kv_type="f32"),
    "unified, shared": Variant(unified=True),
    "unified, own": Variant(unified=True, is_shared=False),
}


def main() -> None:
    """Print the time of a step for each variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file; written if missing")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--depth", type=int, default=384, help="tokens before the step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    base = ContextParams(options.slots, options.depth + 64, 512, options.threads)
    for _ in range(options.rounds):
        for name, variant in VARIANTS.items():
            shape = replace(
                base, unified=variant.unified, flash=variant.flash, kv_type=variant.kv_type
            )
            seconds = step(llama, shape, options.depth, is_shared=variant.is_shared)
            rate = options.slots / seconds
            print(f"{name:18} {1000 * seconds:6.0f} ms, {rate:5.0f} tokens/s")
        print(f"{'empty':18} {1000 * step(llama, base, 0, is_shared=True):6.0f} ms", flush=True)


def step(llama: LlamaModel, shape: ContextParams, depth: int, *, is_shared: bool) -> float:
    """Return the median seconds of a step after `depth` tokens per slot.

    With one thread it is CPU time, which other load on the machine hardly changes.
    """
    clock = time.process_time if shape.threads == 1 else time.perf_counter
    context = LlamaContext(llama, shape)
    random = np.random.default_rng(0)

    def decode(slots: np.ndarray, positions: np.ndarray, needs_logits: np.ndarray) -> None:
        tokens = random.integers(300, 2000, len(slots)).astype(np.int32)
        context.decode(tokens, positions.astype(np.int32), slots.astype(np.int32), needs_logits)

    for slot in range(shape.slots if depth else 0):
        if is_shared and slot:
            context.fork(0, slot, depth)
            continue
        for start in range(0, depth, shape.batch):
            positions = np.arange(start, min(depth, start + shape.batch))
            decode(np.full(len(positions), slot), positions, positions == depth - 1)
    times = []
    slots = np.arange(shape.slots)
    for i in range(8):
        begin = clock()
        decode(slots, np.full(shape.slots, depth + i), np.ones(shape.slots, bool))
        times.append(clock() - begin)
    context.close()
    return median(times[1:])


if __name__ == "__main__":
    main()
