"""Accuracy of `steertui bench`: predicted against measured seconds.

    python -m benchmarks.foresight --model FILE.gguf [--slots 8]

The prompts are those of the starter pack, and every answer is as long as allowed. Both times are
CPU times of the engine's process with one thread, so that other load on the machine matters little.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import psutil

from steertui.core.experiment import Experiment
from steertui.engine.pool import Pool
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import vocabulary
from steertui.execution.benchmark import measure, requests_of
from steertui.planning.resolve import resolve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--slots", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--scenarios", type=int, default=36)
    parser.add_argument("--tokens", type=int, default=128)
    options = parser.parse_args()
    design = resolve(
        Experiment(models=[str(options.model)], limit=options.scenarios, max_tokens=options.tokens)
    )
    (model,) = design.models
    requests, workload = requests_of(design, model)
    requests = [replace(r, ignore_end=True) for r in requests]
    overrides = Overrides(threads=1)
    measured = measure(model, requests, workload, options.slots, overrides, timer=children_seconds)
    for throughput in measured:
        with vocabulary(model.path) as gguf:
            slots = throughput.shapes[0].slots
            shapes = choose_shapes(gguf, model.size, workload, replace(overrides, slots=slots))
        with Pool(model.path, shapes) as pool:
            for _ in pool.load():
                pass
            cpu_start = children_seconds()
            wall_start = time.perf_counter()
            for request in requests:
                pool.add(request)
            while not pool.is_idle:
                pool.step()
            taken = children_seconds() - cpu_start
            predicted = throughput.seconds(workload)
            print(
                f"{slots} slots, {workload.count} answers: predicted {predicted:.1f} s, "
                f"measured {taken:.1f} s ({predicted / taken - 1:+.0%}); "
                f"wall time {time.perf_counter() - wall_start:.0f} s",
                flush=True,
            )


def children_seconds() -> float:
    """Return the CPU seconds of all child processes."""
    times = [child.cpu_times() for child in psutil.Process().children()]
    return sum(t.user + t.system for t in times)


if __name__ == "__main__":
    main()
