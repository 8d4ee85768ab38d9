"""`steertui report`: what a database holds."""

from pathlib import Path

import click

FORMS = ("terminal", "markdown", "json", "trials-csv", "rates-csv", "parquet", "html", "svg", "png")


@click.command(short_help="A database as tables, HTML page, figures or rows.")
@click.argument("db", type=Path)
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="terminal")
@click.option("--output", "-o", type=Path, help="The file, or folder of pictures, to write.")
@click.option("--policy", type=click.Choice(["paper", "all", "exclude-refusals"]), default="paper")
@click.option("--experiment", "experiments", multiple=True, help="An id, or all; may be repeated.")
@click.option("--model", "models", multiple=True, help="A model's name; may be repeated.")
@click.option("--condition", "conditions", multiple=True, help="A condition; may be repeated.")
@click.option("--judge", "judges", multiple=True, help="A judge's name; may be repeated.")
@click.option(
    "--list-experiments", "listing", is_flag=True, help="List the experiments in the database."
)
def report(
    db: Path,
    form: str,
    output: Path | None,
    policy: str,
    experiments: tuple[str, ...],
    models: tuple[str, ...],
    conditions: tuple[str, ...],
    judges: tuple[str, ...],
    listing: bool,
) -> None:
    """Show what a database holds: tables, one HTML page, rows a trial, rates, pictures.

    Nothing named is left out, but of the experiments only the newest is taken.
    """
    from steertui.analysis.summary import ReportFilter
    from steertui.report.command import list_experiments, write_report
    from steertui.stats.rate import Policy

    if listing:
        list_experiments(db)
        return
    choice = ReportFilter(experiments, models, conditions, judges, Policy(policy))
    written = write_report(db, form, choice, output)
    if written:
        click.echo(f"Written: {', '.join(map(str, written))}", err=True)
