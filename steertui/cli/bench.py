"""`steertui bench`: tokens a second of a model on this machine, an experiment's time."""

from pathlib import Path

import click
import cloup

from steertui.cli.machine import machine_options, take_overrides
from steertui.core.experiment import DEMO_EXPERIMENT, with_changes
from steertui.planning.experiment_files import load_experiment
from steertui.planning.origin import file_origin


@cloup.command(short_help="Tokens a second here, and the time an experiment takes.")
@cloup.option_group(
    "What to measure",
    cloup.option("--model", "models", multiple=True, help="Instead of the experiment's models."),
    cloup.option("--experiment", "file", type=Path, help="A TOML file; the demo if not given."),
    cloup.option("--at", "counts", type=int, multiple=True, help="Slots; 1, 8, 16 and 32."),
    cloup.option("--yes", is_flag=True, help="Agree to the hosts and files of a TOML file."),
)
@machine_options
def bench(
    models: tuple[str, ...],
    file: Path | None,
    counts: tuple[int, ...],
    yes: bool,
    **rest: object,
) -> None:
    """Measure tokens a second over slots, and say how long the experiment takes at most."""
    from steertui.planning.consent import require_consent
    from steertui.planning.resolve import resolve
    from steertui.run.benchmark import measure, requests_of
    from steertui.units import clock

    wish = take_overrides(rest)
    changes: dict[str, object] = {"models": list(models)}
    experiment = load_experiment(file, changes) if file else with_changes(DEMO_EXPERIMENT, changes)
    require_consent(experiment, file_origin(experiment, file, changes), is_sure=yes)
    planned = resolve(experiment)
    for model in planned.models:
        requests, workload = requests_of(planned, model)
        click.echo(
            f"{model.name}: {workload.count} trials, "
            f"{workload.distinct_tokens:,} distinct prompt tokens, "
            f"{workload.max_new_tokens:,} new tokens at most"
        )
        slots = counts or tuple(n for n in (1, 8, 16, 32) if n <= workload.count)
        click.echo("slots  prompt tokens/s  new tokens/s  the experiment takes at most")
        for pace in measure(model, requests, workload, slots, wish):
            click.echo(
                f"{pace.slots:5}  {pace.prefill:15,.0f}  {pace.decode:12,.0f}  "
                f"{clock(pace.seconds(workload))}"
            )
