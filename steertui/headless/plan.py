"""`--plan`: what a run would fetch and do, and why, without doing any of it."""

from dataclasses import asdict
from pathlib import Path

from steertui.core.experiment import Experiment
from steertui.core.shard import WHOLE, Shard
from steertui.errors import ExperimentError
from steertui.execution.plan_lines import estimate_lines, example_lines, gap_text
from steertui.planning.consent import open_question, reach_lines
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.origin import Origin
from steertui.printable import print_json, print_line


def show_plan(
    experiment: Experiment,
    db: Path,
    options: JudgeServerOptions,
    origin: Origin,
    *,
    shard: Shard,
    as_json: bool,
) -> None:
    """Print the plan of an experiment. Nothing is stored, fetched or contacted.

    Raises ExperimentError if the experiment cannot run.
    """
    estimate = estimate_experiment(experiment, db, options, origin, explain=True, leaves_out=True)
    if estimate.error:
        raise ExperimentError(estimate.error)
    question = open_question(experiment, origin)
    if as_json:
        fields = asdict(estimate) | {"conditions": [c.name for c in estimate.conditions]}
        parts = {"models": experiment.models, "shard": str(shard)}
        print_json({"event": "plan", **parts, **fields})
        return
    for line in estimate_lines(estimate, experiment):
        print_line(line)
    if shard != WHOLE:
        print_line(
            f"Shard   {shard}: one of {shard.count} parts of the scenarios; the numbers above are "
            "those of all parts together"
        )
    for name, model in estimate.trainings:
        print_line(f"Train   vector {name} on {model}")
    for line in reach_lines(question) if question and origin.place else ():
        print_line(f"Consent a run {line}")
    if estimate.size.trials:
        print_line(f"        {gap_text(estimate)}.")
    for line in example_lines(estimate.example) if estimate.example else ():
        print_line(line)
    print_line(f"Store   {db}; nothing was stored, fetched or contacted")
