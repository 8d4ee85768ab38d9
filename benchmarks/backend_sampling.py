"""Is the backend's own sampling faster? `python -m benchmarks.backend_sampling --model FILE.gguf`

Steps of --slots sequences, a greedy token each, in three ways: all logits copied and numpy's
argmax over them, as the engine does it; a greedy sampler in every sequence's graph
(`llama_set_sampler`), tokens copied alone; and no sampling at all. Medians of the processor's
time with one thread, in turn.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import llama_cpp.llama_cpp as ll
import numpy as np

from benchmarks import shapes
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="made if it is not there")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--slots", type=int, default=32)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    shape = ContextParams(options.slots, 64, 512, 1)
    found: dict[str, list[float]] = {"numpy": [], "backend": [], "none": []}
    drawn: dict[str, list[list[int]]] = {}
    for turn in range(options.rounds):
        for way in found if turn % 2 else reversed(found):
            times, tokens = steps(llama, shape, options.steps, way)
            found[way].append(median(times[1:]))
            drawn[way] = tokens
    for way, times in found.items():
        print(f"{way:8} {1000 * median(times):7.2f} ms a step")
    print("same tokens:", drawn["numpy"] == drawn["backend"])


def steps(
    llama: LlamaModel, shape: ContextParams, count: int, way: str
) -> tuple[list[float], list[list[int]]]:
    """Return the seconds of each step, and the tokens that were chosen."""
    context = LlamaContext(llama, shape)
    chains = [chain() for _ in range(shape.slots)] if way == "backend" else []
    for slot, sampler in enumerate(chains):
        assert ll.llama_set_sampler(context.handle, slot, sampler)
    everyone, wanted = np.arange(shape.slots, dtype=np.int32), np.ones(shape.slots, bool)
    tokens = 300 + everyone
    times, drawn = [], []
    for i in range(count):
        begin = time.process_time()
        logits = context.decode(tokens, np.full(shape.slots, i, np.int32), everyone, wanted)
        if way == "numpy":
            tokens = logits.argmax(axis=1).astype(np.int32)
        elif way == "backend":
            get = ll.llama_get_sampled_token_ith
            tokens = np.array([get(context.handle, int(s)) for s in everyone], np.int32)
        times.append(time.process_time() - begin)
        drawn.append(tokens.tolist())
    context.close()
    for sampler in chains:
        ll.llama_sampler_free(sampler)
    return times, drawn


def chain() -> "ll.llama_sampler_p":
    """Return a chain that takes the likeliest token."""
    sampler = ll.llama_sampler_chain_init(ll.llama_sampler_chain_default_params())
    ll.llama_sampler_chain_add(sampler, ll.llama_sampler_init_greedy())
    return sampler


if __name__ == "__main__":
    main()
