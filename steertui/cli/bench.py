"""`steertui bench`: throughput of a model on this machine, and the time an experiment takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup

from steertui.cli.machine import machine_options_without_slots, take_overrides
from steertui.cli.param_types import PATH
from steertui.core.experiment import DEMO_EXPERIMENT, with_changes
from steertui.planning.experiment_files import load_experiment
from steertui.planning.model_groups import expand_models
from steertui.planning.origin import file_origin
from steertui.printable import print_line

if TYPE_CHECKING:
    from steertui.core.model import Model
    from steertui.engine.sizing import Overrides
    from steertui.execution.benchmark import Throughput
    from steertui.planning.resolve import Design

SLOTS = (1, 8, 16, 32)

AUTOMATIC = 0
"""The number of slots, and of engines, that a run chooses."""


@cloup.command(short_help="Throughput on this machine, and the time an experiment takes.")
@cloup.option_group(
    "Measurement",
    cloup.option(
        "--model",
        "models",
        multiple=True,
        help="Model to measure; repeatable [default: the experiment's models]",
    ),
    cloup.option(
        "--experiment",
        "file",
        type=PATH,
        metavar="FILE",
        help="TOML file of the experiment [default: the demo]",
    ),
    cloup.option(
        "--slots",
        "slot_counts",
        type=int,
        multiple=True,
        help="Number of slots to measure; repeatable [default: 1, 8, 16 and 32, and on an "
        "accelerator what a run chooses]",
    ),
    cloup.option(
        "--breakdown",
        is_flag=True,
        help="Also show the time of each part: decode, sampling, scheduling, messages, storing",
    ),
    cloup.option(
        "--judge",
        "judges",
        multiple=True,
        help="Local judge to measure instead: seconds per label on the control set; repeatable",
    ),
    cloup.option(
        "--yes",
        is_flag=True,
        help="Agree to the servers, downloads and files that the TOML file names",
    ),
)
@machine_options_without_slots
def bench(
    models: tuple[str, ...],
    file: Path | None,
    slot_counts: tuple[int, ...],
    breakdown: bool,
    judges: tuple[str, ...],
    yes: bool,
    **engine_options: object,
) -> None:
    """Measure throughput by number of slots, and print the longest time the experiment can take."""
    from steertui.planning.consent import require_consent
    from steertui.planning.resolve import resolve

    overrides = take_overrides(engine_options)
    if judges:
        _print_judges(judges, overrides)
        return
    changes: dict[str, object] = {"models": list(models)}
    if file:
        experiment = load_experiment(file, changes)
    else:
        experiment = expand_models(with_changes(DEMO_EXPERIMENT, changes))
    require_consent(experiment, file_origin(experiment, file, changes), is_sure=yes)
    design = resolve(experiment)
    for model in design.models:
        _print_throughput(design, model, slot_counts, overrides)
        if breakdown:
            _print_breakdown(design, model, max(slot_counts or (AUTOMATIC,)), overrides)


def _print_throughput(
    design: Design, model: Model, slot_counts: Sequence[int], overrides: Overrides
) -> None:
    """Print the model's workload and one line per number of slots."""
    from steertui.engine.devices import default_accelerators, devices
    from steertui.execution.benchmark import measure, requests_of
    from steertui.units import clock, quantity

    requests, workload = requests_of(design, model)
    print_line(
        f"{model.name}: {quantity(workload.count, 'trial')}, "
        f"{workload.distinct_tokens:,} distinct prompt tokens, "
        f"{workload.max_new_tokens:,} new tokens at most"
    )
    slots = slot_counts or tuple(n for n in SLOTS if n <= workload.count)
    if not slot_counts and default_accelerators(devices()):
        slots = (*slots, AUTOMATIC)
    print_line("slots  prompt tokens/s  new tokens/s  longest time of the experiment")
    for throughput in measure(model, requests, workload, slots, overrides):
        print_line(
            f"{throughput.slots:5}  {throughput.prefill:15,.0f}  {throughput.decode:12,.0f}  "
            f"{clock(throughput.seconds(workload))}{_engines_text(throughput)}"
        )


def _engines_text(throughput: Throughput) -> str:
    engines = len(throughput.shapes)
    return f"  ({engines} engines)" if engines > 1 else ""


def _print_breakdown(design: Design, model: Model, slots: int, overrides: Overrides) -> None:
    """Print milliseconds per step and the share of each part of a run."""
    from steertui.engine.stopwatch import Phase
    from steertui.execution.breakdown import break_down
    from steertui.units import quantity

    parts = break_down(design, model, slots, overrides)
    print_line(
        f"Breakdown with {quantity(parts.slots, 'slot')}: {quantity(parts.answers, 'answer')}, "
        f"{parts.tokens:,} new tokens, {parts.steps:,} steps"
    )
    print_line("part                     ms per step  share")
    for phase, seconds in parts.seconds.items():
        if phase != Phase.WAITING:
            share = seconds / parts.busy
            print_line(f"{phase:23}  {1e3 * seconds / parts.steps:11.2f}  {share:5.1%}")
    print_line(
        f"{'storing (in parallel)':23}  {1e3 * parts.storing / parts.steps:11.2f}  "
        f"{parts.storing / parts.busy:5.1%}"
    )
    print_line(
        f"decode includes the copy of {parts.logits_bytes / 1e6:.1f} MB of logits per step: "
        f"{1e3 * parts.copying:.2f} ms, measured as a copy in main memory"
    )


def _print_judges(names: Sequence[str], overrides: Overrides) -> None:
    """Print the seconds per label of local judges, and the share of prompt tokens they reuse."""
    from steertui.execution.judge_benchmark import measure_judging
    from steertui.judge.control import load_control_set
    from steertui.judge.local import LocalJudge
    from steertui.planning.judges import DEFAULT_OPTIONS, find_judges, judge_specification

    found = find_judges(
        [judge_specification(name) for name in names], "steertui", False, DEFAULT_OPTIONS
    )
    for judge in found:
        if not isinstance(judge, LocalJudge):
            raise click.UsageError(f"--judge {judge.name}: only local judges are measured")
        speed = measure_judging(judge, load_control_set(), overrides)
        print_line(
            f"{judge.name}: {speed.seconds_per_label:.2f} s per label over {speed.labels} control "
            f"answers; {speed.prompt_tokens:,} prompt tokens, of which {100 * speed.reused:.0f} % "
            "are shared prefixes and not computed again"
        )
