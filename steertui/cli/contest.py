"""`steertui contest`: attacks of a contest, chosen on a training run."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH


@click.group(short_help="Attacks of a contest, chosen on a training run.")
def contest() -> None:
    """Prepare contests of defences against attacks."""


@contest.command(short_help="Choose the strongest attack against each defence.")
@click.argument("file", type=PATH)
@click.option("--db", type=PATH, required=True, help="Database with a judged run of the contest")
@click.option("--write", "output", type=PATH, required=True, help="Conditions file to write")
@click.option(
    "--experiment", metavar="ID", help="Name or id of the training run [default: the newest]"
)
@click.option("--model", help="Name of the model [default: the only one]")
@click.option("--judge", help="Name of the judge [default: the only one]")
def adapt(
    file: Path,
    db: Path,
    output: Path,
    experiment: str | None,
    model: str | None,
    judge: str | None,
) -> None:
    """Choose attacks for the contest of the conditions file FILE, and write the file with them.

    The run in --db is the contest on training scenarios, with all attacks. Against each defence,
    the attack with the highest convergence rate is chosen from those of the file; no new text is
    made. A run refuses to evaluate the written contest on the training scenarios.
    """
    from steertui.analysis.summary import ReportFilter
    from steertui.headless.contest_commands import adapt_command

    selection = ReportFilter(
        experiments=(experiment,) if experiment else (),
        models=(model,) if model else (),
        judges=(judge,) if judge else (),
    )
    adapt_command(file, db, output, selection)
