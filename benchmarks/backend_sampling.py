"""Sampling in llama.cpp's compute graph compared with sampling in numpy.

    python -m benchmarks.backend_sampling --model FILE.gguf

Decode steps of --slots sequences, one greedy token each, in three ways: "numpy" copies all logits
and takes the argmax, as the engine does; "backend" attaches a greedy sampler to each sequence
(`llama_set_sampler`) and copies only tokens; "none" does not sample. Prints medians of CPU time
with one thread, or with --wall of wall time; the order of the three alternates from round to round.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import llama_cpp.llama_cpp as ll
import numpy as np

from benchmarks import shapes
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel

METHODS = ("numpy", "backend", "none")


def main() -> None:
    """Print the median time per step of each method."""
    options = _options()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    shape = ContextParams(options.slots, 64, 512, 1)
    clock = time.perf_counter if options.wall else time.process_time
    medians: dict[str, list[float]] = {method: [] for method in METHODS}
    tokens: dict[str, list[list[int]]] = {}
    for number in range(options.rounds):
        for method in METHODS if number % 2 else reversed(METHODS):
            times, tokens[method] = steps(llama, shape, options.steps, method, clock)
            medians[method].append(median(times[1:]))
    for method, times in medians.items():
        print(f"{method:8} {1000 * median(times):7.2f} ms per step")
    print("same tokens:", tokens["numpy"] == tokens["backend"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file; written if missing")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--wall", action="store_true", help="measure wall time")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def steps(
    llama: LlamaModel,
    shape: ContextParams,
    count: int,
    method: str,
    clock: Callable[[], float] = time.process_time,
) -> tuple[list[float], list[list[int]]]:
    """Return the seconds and the sampled tokens of each step."""
    context = LlamaContext(llama, shape)
    samplers = [greedy_sampler() for _ in range(shape.slots)] if method == "backend" else []
    for slot, sampler in enumerate(samplers):
        assert ll.llama_set_sampler(context.handle, slot, sampler)
    slots = np.arange(shape.slots, dtype=np.int32)
    needs_logits = np.ones(shape.slots, bool)
    tokens = 300 + slots
    times = []
    sampled = []
    for position in range(count):
        start = clock()
        positions = np.full(shape.slots, position, np.int32)
        logits = context.decode(tokens, positions, slots, needs_logits)
        if method == "numpy":
            tokens = logits.argmax(axis=1).astype(np.int32)
        elif method == "backend":
            get = ll.llama_get_sampled_token_ith
            tokens = np.array([get(context.handle, int(slot)) for slot in slots], np.int32)
        times.append(clock() - start)
        sampled.append(tokens.tolist())
    context.close()
    for sampler in samplers:
        ll.llama_sampler_free(sampler)
    return times, sampled


def greedy_sampler() -> "ll.llama_sampler_p":
    """Return a llama.cpp sampler chain that takes the highest logit."""
    chain = ll.llama_sampler_chain_init(ll.llama_sampler_chain_default_params())
    ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_greedy())
    return chain


if __name__ == "__main__":
    main()
