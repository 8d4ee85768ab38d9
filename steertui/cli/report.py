"""`steertui report`: results of a database in one of several formats."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH
from steertui.printable import print_line

FORMATS = (
    "terminal",
    "markdown",
    "latex",
    "bibtex",
    "json",
    "trials-csv",
    "rates-csv",
    "gaps-csv",
    "parquet",
    "html",
    "svg",
    "png",
)

FIGURES = ("svg", "png")


@click.command(short_help="Results as tables, HTML page, figures or rows.")
@click.argument("db", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="terminal",
    show_default=True,
    help="Format of the report",
)
@click.option(
    "--output",
    "-o",
    type=PATH,
    help="File to write, or folder for svg and png [default: standard output for text formats; "
    "otherwise a file or folder in the current folder with the name of the database]",
)
@click.option(
    "--policy",
    type=click.Choice(["paper", "all", "exclude-refusals"]),
    default="paper",
    show_default=True,
    help="Answers in the denominator of convergence rates: all but nonsensical ones, all, or "
    "neither nonsensical ones nor safety refusals",
)
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    help='Name or id of an experiment, or "all"; repeatable [default: the newest]',
)
@click.option("--model", "models", multiple=True, help="Name of a model; repeatable [default: all]")
@click.option(
    "--condition", "conditions", multiple=True, help="Condition; repeatable [default: all]"
)
@click.option("--judge", "judges", multiple=True, help="Name of a judge; repeatable [default: all]")
@click.option(
    "--all-pairs",
    is_flag=True,
    help="Show the pairs of conditions that are not declared, as exploratory, Holm over all pairs",
)
@click.option(
    "--detail",
    is_flag=True,
    help="Terminal: add the sentence of each comparison, all warnings, counts, categories, and the "
    "comparisons of models, temperatures and judges",
)
@click.option(
    "--answers",
    is_flag=True,
    help="Terminal and Markdown: add answers of conditions and of the doses that match them, side "
    "by side; the HTML page always has them",
)
@click.option(
    "--figure-width",
    metavar="WIDTH",
    default="",
    help="svg and png: printed width with unit, such as 3.3in or 84mm for the column of a paper; "
    "texts are 8 to 9 points high [default: for screens]",
)
@click.option("--list-experiments", is_flag=True, help="List the experiments and exit")
def report(
    *,
    db: Path,
    form: str,
    output: Path | None,
    policy: str,
    experiments: tuple[str, ...],
    models: tuple[str, ...],
    conditions: tuple[str, ...],
    judges: tuple[str, ...],
    all_pairs: bool,
    detail: bool,
    answers: bool,
    figure_width: str,
    list_experiments: bool,
) -> None:
    """Report the results in DB: tables, an HTML page, one row per trial, rates or figures.

    --model, --condition and --judge select what is shown. They change no number: intervals, p
    values and families are those of the whole experiment.
    """
    from steertui.analysis.summary import ReportFilter
    from steertui.report.command import print_experiments, write_report
    from steertui.stats.rate import Policy

    if list_experiments:
        print_experiments(db)
        return
    choice = ReportFilter(
        experiments, models, conditions, judges, policy=Policy(policy), all_pairs=all_pairs
    )
    width = _figure_width(figure_width, form)
    written = write_report(
        db, form, choice, output, detail=detail, answers=answers, figure_width=width
    )
    if written:
        print_line(f"Written: {', '.join(map(str, written))}", to_stderr=True)


def _figure_width(text: str, form: str) -> float | None:
    """Return the printed width of figures in inches, None without one."""
    from steertui.report.figure_width import parse_width

    if not text:
        return None
    if form not in FIGURES:
        raise click.UsageError(f"--figure-width goes with --format {' or '.join(FIGURES)}")
    return parse_width(text)
