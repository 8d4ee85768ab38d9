"""Error of the time left that a run shows, at 10, 25, 50 and 75 % of its time.

    python -m benchmarks.time_left [--model FILE.gguf]

Three runs: greedy answers of the demo, sampled answers of the demo, and either greedy answers of
--model or the demo's labels. Time is CPU time of the engines with one thread, so that other load
matters little. "before" is the estimate by complete answers: time so far × missing / complete.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.foresight import children_seconds
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.execution import EngineProgress, ModelLoaded, run
from steertui.execution.progress import ThroughputMeter
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.store import Store

SHARES = (0.1, 0.25, 0.5, 0.75)

Estimate = tuple[float, float | None, float | None]
"""Seconds since the start; seconds left as shown, and by complete answers; None for unknown."""


def main() -> None:
    """Print a row per run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="model of the third run")
    parser.add_argument("--limit", type=int, default=12, help="scenarios of the third run")
    options = parser.parse_args()
    demo = Experiment(judges=["none"])
    third = replace(demo, models=[options.model], limit=options.limit, max_tokens=256)
    labels = replace(demo, judges=["local:demo"])
    runs = {
        "demo, greedy, 256 tokens": (replace(demo, max_tokens=256), "generate"),
        "demo, temperature 1, 3 samples": (
            replace(demo, temperatures=[1.0], samples=3),
            "generate",
        ),
        "third run": (third, "generate") if options.model else (labels, "judge"),
    }
    print("| run | " + " | ".join(f"at {share:.0%}: now, before" for share in SHARES) + " |")
    print("| --- |" + " ---: |" * len(SHARES))
    for name, (experiment, stage) in runs.items():
        print(row(name, estimates(experiment, stage)), flush=True)


def estimates(experiment: Experiment, stage: str) -> list[Estimate]:
    """Return the estimates during a stage."""
    found: list[Estimate] = []
    with TemporaryDirectory() as folder, Store(Path(folder) / "a.db") as store:
        plan = make_plan(resolve(experiment), store)
        meter = ThroughputMeter(children_seconds)
        start = 0.0
        for event in run(plan, store, Overrides(threads=1, slots=8)):
            if isinstance(event, ModelLoaded) and event.stage == stage:
                meter.start()
                start = children_seconds()
            elif isinstance(event, EngineProgress) and event.stage == stage:
                meter.add(event)
                seconds = children_seconds() - start
                old = seconds * (event.total - event.done) / event.done if event.done else None
                found.append((seconds, meter.seconds_left(event), old))
    return found


def row(name: str, found: list[Estimate]) -> str:
    """Return a table row with the error of the predicted total time at each share of the run."""
    total = found[-1][0]
    cells = []
    for share in SHARES:
        seconds, *left = next(e for e in found if e[0] >= share * total)
        errors = [
            "unknown" if value is None else f"{(seconds + value) / total - 1:+.0%}"
            for value in left
        ]
        cells.append(", ".join(errors))
    return f"| {name}, {total:.0f} s | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
