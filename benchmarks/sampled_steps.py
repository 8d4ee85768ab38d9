"""Cost of sampling in a decode step of the engine, by filter, relative to greedy decoding.

    python -m benchmarks.sampled_steps --model FILE.gguf [--slots 32] [--depth 256]

Every slot has the same prompt of --depth tokens, which is prefilled once. CPU time of the process
with one thread, so that other load matters little; the settings alternate from round to round.
Prints the least milliseconds per step of all rounds, the throughput relative to greedy decoding,
and the share outside llama_decode: sampling and scheduling.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import shapes
from benchmarks.methods import TimedContext
from benchmarks.sampling import SAMPLINGS
from steertui.core.generation import SamplingParams
from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest


def main() -> None:
    """Print a row per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file; written if missing")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--depth", type=int, default=256)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    shape = ContextParams(options.slots, options.depth + 64, 512, 1, flash=False)
    best: dict[str, tuple[float, float]] = {}
    for number in range(options.rounds):
        names = list(SAMPLINGS) if number % 2 else list(SAMPLINGS)[::-1]
        for name in names:
            times = steps(llama, shape, SAMPLINGS[name], options.depth, options.steps)
            best[name] = min([best[name], *times]) if name in best else min(times)
    greedy = best["greedy"][0]
    print("| setting | ms per step | throughput, greedy = 1 | outside llama_decode |")
    print("| --- | ---: | ---: | ---: |")
    for name in SAMPLINGS:
        whole, decoding = best[name]
        print(f"| {name} | {1e3 * whole:.1f} | {greedy / whole:.3f} | {1 - decoding / whole:.1%} |")


def steps(
    llama: LlamaModel, shape: ContextParams, sampling: SamplingParams, depth: int, count: int
) -> list[tuple[float, float]]:
    """Return the CPU seconds of each step, and of llama_decode in it, with all slots occupied."""
    engine = Engine(llama, shape)
    prompt = np.random.default_rng(0).integers(300, 2000, depth).tolist()
    for slot in range(shape.slots):
        limited = replace(sampling, max_tokens=60)
        engine.add(GenerateRequest(str(slot), prompt, limited, slot, ignore_end=True))
    while engine.snapshot().generated < 2 * shape.slots:
        engine.step()
    timed = TimedContext(engine.context, time.process_time)
    measured = []
    for _ in range(count):
        before = timed.seconds
        start = time.process_time()
        engine.step()
        measured.append((time.process_time() - start, timed.seconds - before))
    engine.close()
    return measured


if __name__ == "__main__":
    main()
