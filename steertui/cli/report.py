"""`steertui report`: what a database holds."""

from pathlib import Path

import click

FORMS = ("terminal", "markdown", "json", "csv")


@click.command()
@click.argument("db", type=Path)
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="terminal")
@click.option("--policy", type=click.Choice(["paper", "all", "engaged"]), default="paper")
@click.option("--experiment", help="An experiment's id; the newest if not given.")
@click.option("--list", "listing", is_flag=True, help="List the experiments in the database.")
def report(db: Path, form: str, policy: str, experiment: str | None, listing: bool) -> None:
    """Show what a database holds: tables, Markdown, JSON, or CSV with a row a trial."""
    from steertui.report.command import list_experiments, write_report

    if listing:
        list_experiments(db)
    else:
        write_report(db, form, policy, experiment)
