"""Time and memory with and without flash attention.

    python -m benchmarks.flash --model FILE.gguf

For each of --depths: the CPU time to prefill a prompt of that length alone, and of a decode step of
--slots sequences at that depth. Values are medians with one thread, so that other load on the
machine matters little; the order alternates from round to round. Then, for contexts of each of
--cells per slot, the compute buffers that llama.cpp allocates, with one stream per slot and with a
unified KV cache.
"""

import argparse
import ctypes
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import llama_cpp.llama_cpp as ll
import numpy as np

from benchmarks import shapes
from benchmarks.step import step
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.llama import LlamaModel

log: list[str] = []
_callback = ll.llama_log_callback(lambda _level, text, _data: log.append(text.decode()))


def main() -> None:
    """Print times and buffer sizes."""
    options = _options()
    llama = LlamaModel(shapes.write(options.shape, options.model))
    for depth in options.depths:
        single = ContextParams(1, depth + 64, 512, 1)
        batched = replace(single, slots=options.slots)
        measure(
            f"prefill of {depth} tokens",
            single,
            lambda shape, depth=depth: prefill(llama, shape, depth),
            options.rounds,
        )
        measure(
            f"step at depth {depth}",
            batched,
            lambda shape, depth=depth: step(llama, shape, depth, is_shared=True),
            options.rounds,
        )
    ll.llama_log_set(_callback, ctypes.c_void_p(0))
    for cells in options.cells:
        for unified in (False, True):
            shape = ContextParams(options.slots, cells, 512, 1, unified)
            on = buffer_mib(llama, replace(shape, flash=True))
            off = buffer_mib(llama, replace(shape, flash=False))
            layout = "unified" if unified else "per-slot"
            print(
                f"{options.slots} × {cells} cells, {layout}: {on:.0f} MiB with, {off:.0f} without"
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file; written if missing")
    parser.add_argument("--shape", choices=shapes.SHAPES, default="qwen3-0.6b")
    parser.add_argument("--depths", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--cells", type=int, nargs="+", default=[2048, 8192])
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def measure(
    name: str, shape: ContextParams, seconds: Callable[[ContextParams], float], rounds: int
) -> None:
    """Print the median milliseconds with and without flash attention."""
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds):
        for flash in (True, False) if number % 2 else (False, True):
            times[flash].append(seconds(replace(shape, flash=flash)))
    on = 1000 * median(times[True])
    off = 1000 * median(times[False])
    print(f"{name}: {on:.0f} ms with, {off:.0f} without: {off / on - 1:+.1%}", flush=True)


def prefill(llama: LlamaModel, shape: ContextParams, depth: int) -> float:
    """Return the CPU seconds to prefill a prompt of `depth` tokens alone."""
    context = LlamaContext(llama, shape)
    random = np.random.default_rng(0)
    begin = time.process_time()
    for start in range(0, depth, shape.batch):
        positions = np.arange(start, min(depth, start + shape.batch), dtype=np.int32)
        tokens = random.integers(300, 2000, len(positions)).astype(np.int32)
        slots = np.zeros(len(positions), np.int32)
        context.decode(tokens, positions, slots, positions == depth - 1)
    seconds = time.process_time() - begin
    context.close()
    return seconds


def buffer_mib(llama: LlamaModel, shape: ContextParams) -> float:
    """Return the MiB of llama.cpp's compute buffers for a context, from its log."""
    log.clear()
    LlamaContext(llama, shape).close()
    return sum(map(float, re.findall(r"compute buffer size *= *([\d.]+) MiB", "".join(log))))


if __name__ == "__main__":
    main()
