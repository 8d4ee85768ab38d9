"""Is `steertui bench` right? `python -m benchmarks.foresight --model FILE.gguf [--slots 8]`

The starter pack's prompts, every answer as long as it may be: the seconds that the bench says they
take at the most, and those that they take. Both by the processor's time of the engine's child with
one thread, so that other work beside it counts little.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil

from steertui.core.experiment import Experiment, resolve
from steertui.engine.pool import Pool
from steertui.engine.sizing import Overrides, fit
from steertui.engine.vocabulary import vocabulary
from steertui.run import benchmark as bench


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--slots", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--scenarios", type=int, default=36)
    parser.add_argument("--tokens", type=int, default=128)
    options = parser.parse_args()
    vars(bench)["time"] = SimpleNamespace(perf_counter=children)
    planned = resolve(
        Experiment(models=[str(options.model)], limit=options.scenarios, max_tokens=options.tokens)
    )
    (model,) = planned.models
    requests, asked = bench.requests_of(planned, model)
    requests = [replace(r, past_end=True) for r in requests]
    wish = Overrides(threads=1)
    for pace in bench.bench(model, requests, asked, options.slots, wish):
        with vocabulary(model.path) as gguf:
            slots = pace.shapes[0].slots
            shapes = fit(gguf, model.size, asked, replace(wish, slots=slots))
        with Pool(model.path, shapes) as pool:
            for _ in pool.load():
                pass
            begin, wall = children(), time.perf_counter()
            for request in requests:
                pool.add(request)
            while not pool.is_idle:
                pool.step()
            taken = children() - begin
            said = pace.seconds(asked)
            print(
                f"{slots} slots, {asked.count} answers: said {said:.1f} s, taken {taken:.1f} s "
                f"({said / taken - 1:+.0%}); {time.perf_counter() - wall:.0f} s by the clock",
                flush=True,
            )


def children() -> float:
    """Return the processor's seconds of all children."""
    times = [child.cpu_times() for child in psutil.Process().children()]
    return sum(t.user + t.system for t in times)


if __name__ == "__main__":
    main()
