"""Training of a steering vector: time, CPU time and memory of both processes.

python -m benchmarks.steering MODEL [PAIRS] [METHOD]
"""

import sys
import time

import psutil

from steertui.assets.weights import find_model
from steertui.planning.contrast_pairs import PairTexts, contrast_pairs
from steertui.steering.training import TrainingSettings, train
from steertui.units import size_text


def usage() -> tuple[int, int, float]:
    """Return the resident bytes of this process and its largest child, and the child's CPU time."""
    own = psutil.Process()
    child = max(own.children(), key=lambda process: process.memory_info().rss, default=own)
    times = child.cpu_times()
    return own.memory_info().rss, child.memory_info().rss, times.user + times.system


def main(name: str, limit: str = "0", method: str = "mean") -> None:
    model = find_model(name)
    pairs, shape = contrast_pairs(model, PairTexts(limit=int(limit)))
    tokens = sum(len(r.tokens) - r.shared for pair in pairs.pairs for r in pair.requests)
    print(f"{model.name}: {len(pairs.pairs)} pairs, {tokens:,} tokens to decode, shape {shape}")
    start = last = time.monotonic()
    first = None
    for event in train(model, shape, pairs, TrainingSettings(method)):
        last = time.monotonic()
        first = first or event
        if event.done % 6 == 0:
            parent, child, cpu = usage()
            print(
                f"{event.done:4} pairs  {last - start:7.1f} s, {cpu:.1f} s of CPU  "
                f"parent {size_text(parent)}, child {size_text(child)}"
            )
    done = len(pairs.pairs) - (first.done if first else 0)
    print(f"hidden states: {last - start:.1f} s for {done} pairs; the rest is arithmetic: ", end="")
    print(f"{time.monotonic() - last:.1f} s, {size_text(usage()[0])}")


if __name__ == "__main__":
    main(*sys.argv[1:])
