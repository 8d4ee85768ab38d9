"""`steertui export`: a database for the tools of others."""

from pathlib import Path

import click


@click.command(short_help="Logs for inspect_ai.")
@click.argument("db", type=Path)
@click.option("--inspect", "folder", type=Path, required=True, help="Folder for .eval logs.")
@click.option("--experiment", "experiments", multiple=True, help="An id, or all; may be repeated.")
@click.option("--model", "models", multiple=True, help="A model's name; may be repeated.")
@click.option("--condition", "conditions", multiple=True, help="A condition; may be repeated.")
@click.option("--judge", "judges", multiple=True, help="A judge's name; may be repeated.")
def export(
    db: Path,
    folder: Path,
    experiments: tuple[str, ...],
    models: tuple[str, ...],
    conditions: tuple[str, ...],
    judges: tuple[str, ...],
) -> None:
    """Write inspect_ai logs: one for each model, temperature and condition.

    Their samples are the scenarios, their epochs the samples, their scores the judges' labels.
    """
    from steertui.analysis.summary import ReportFilter, summarise
    from steertui.report.inspect_log import write_logs
    from steertui.store import Store

    with Store(db, must_exist=True) as store:
        chosen = summarise(store, ReportFilter(experiments, models, conditions, judges))
        written = write_logs(store, chosen, folder)
    click.echo(f"Written: {len(written)} logs in {folder}", err=True)
