"""`steertui power`: scenarios and wordings that a plan needs, from a pilot."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH


@click.command(short_help="Scenarios and wordings that a plan needs, from a pilot.")
@click.argument("pilot", type=PATH)
@click.option(
    "--gap",
    type=click.FloatRange(0, 100, min_open=True),
    default=10.0,
    show_default=True,
    help="Gap in points for which the number of scenarios is computed",
)
@click.option(
    "--width",
    type=click.FloatRange(0, 200, min_open=True),
    default=20.0,
    show_default=True,
    help="Width of the interval in points for which scenarios and wordings are computed",
)
@click.option(
    "--scenarios",
    "sizes",
    type=click.IntRange(1, 1_000_000),
    multiple=True,
    help="Number of scenarios to plan for; repeatable [default: 1, 2, 4 and 8 times the pilot's]",
)
@click.option("--experiment", metavar="ID", help="Name or id of the pilot [default: the newest]")
@click.option("--model", "models", multiple=True, help="Name of a model; repeatable [default: all]")
@click.option("--judge", "judges", multiple=True, help="Name of a judge; repeatable [default: all]")
def power(
    *,
    pilot: Path,
    gap: float,
    width: float,
    sizes: tuple[int, ...],
    experiment: str | None,
    models: tuple[str, ...],
    judges: tuple[str, ...],
) -> None:
    """Compute from a pilot's database how many scenarios and wordings the main run needs.

    The share of scenarios that move against the primary gap is estimated with its uncertainty, and
    gives the minimum detectable gap at 80 % power. The pilot's variance gives the expected width
    of the interval.
    """
    from steertui.analysis.summary import ReportFilter, summarise
    from steertui.report.command import show
    from steertui.report.pilot_tables import draw_pilots
    from steertui.store import Store

    experiments = (experiment,) if experiment else ()
    with Store(pilot, must_exist=True) as store:
        summary = summarise(store, ReportFilter(experiments, models=models, judges=judges))
    show(draw_pilots(summary, gap=gap, width=width, sizes=sizes))
