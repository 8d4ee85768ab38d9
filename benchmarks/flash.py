"""What does flash attention cost or save here? `python -m benchmarks.flash --model FILE.gguf`

For a prompt of each --depths alone: the processor's time to compute it, and a step of --slots
sequences behind so many tokens, with and without flash attention, in turn, medians; with one
thread, so that other work beside it counts little. Then the compute buffer that llama.cpp sets
aside for contexts of each --cells a slot, a stream a slot and unified.
"""

import argparse
import ctypes
import re
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import llama_cpp.llama_cpp as ll
import numpy as np

from benchmarks import shapes
from benchmarks.step import step
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel

said: list[str] = []
_keep = ll.llama_log_callback(lambda _level, text, _data: said.append(text.decode()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="made if it is not there")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--depths", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--cells", type=int, nargs="+", default=[2048, 8192])
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    for depth in options.depths:
        alone = ContextParams(1, depth + 64, 512, 1)
        many = replace(alone, slots=options.slots)
        for what, measure in (
            (f"{depth} tokens computed", lambda s, d=depth: prefill(llama, s, d)),
            (f"a step behind {depth}", lambda s, d=depth: step(llama, s, d, is_copied=True)),
        ):
            shape = alone if "computed" in what else many
            taken: dict[bool, list[float]] = {True: [], False: []}
            for turn in range(options.rounds):
                for flash in (True, False) if turn % 2 else (False, True):
                    taken[flash].append(measure(replace(shape, flash=flash)))
            on, off = (1000 * median(taken[flash]) for flash in (True, False))
            print(f"{what}: {on:.0f} ms with, {off:.0f} without: {off / on - 1:+.1%}", flush=True)
    ll.llama_log_set(_keep, ctypes.c_void_p(0))
    for cells in options.cells:
        for unified in (False, True):
            shape = ContextParams(options.slots, cells, 512, 1, unified)
            on, off = (buffer(llama, replace(shape, flash=flash)) for flash in (True, False))
            kind = "unified" if unified else "streams"
            print(f"{options.slots} × {cells} cells, {kind}: {on:.0f} MiB with, {off:.0f} without")


def prefill(llama: LlamaModel, shape: ContextParams, depth: int) -> float:
    """Return the processor's seconds to compute a prompt of `depth` tokens alone."""
    context, random = LlamaContext(llama, shape), np.random.default_rng(0)
    begin = time.process_time()
    for start in range(0, depth, shape.batch):
        places = np.arange(start, min(depth, start + shape.batch), dtype=np.int32)
        tokens = random.integers(300, 2000, len(places)).astype(np.int32)
        context.decode(tokens, places, np.zeros(len(places), np.int32), places == depth - 1)
    seconds = time.process_time() - begin
    context.close()
    return seconds


def buffer(llama: LlamaModel, shape: ContextParams) -> float:
    """Return the MiB of llama.cpp's compute buffers for a context, as its log tells them."""
    said.clear()
    LlamaContext(llama, shape).close()
    return sum(map(float, re.findall(r"compute buffer size *= *([\d.]+) MiB", "".join(said))))


if __name__ == "__main__":
    main()
