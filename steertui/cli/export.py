"""`steertui export`: logs for inspect_ai."""

from pathlib import Path

import click

from steertui.printable import print_line


@click.command(short_help="Logs for inspect_ai.")
@click.argument("db", type=Path)
@click.option("--inspect", "folder", type=Path, required=True, help="Folder for the .eval logs")
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    help='Id of an experiment, or "all"; repeatable [default: the newest]',
)
@click.option("--model", "models", multiple=True, help="Name of a model; repeatable [default: all]")
@click.option(
    "--condition", "conditions", multiple=True, help="Condition; repeatable [default: all]"
)
@click.option("--judge", "judges", multiple=True, help="Name of a judge; repeatable [default: all]")
def export(
    db: Path,
    folder: Path,
    experiments: tuple[str, ...],
    models: tuple[str, ...],
    conditions: tuple[str, ...],
    judges: tuple[str, ...],
) -> None:
    """Write inspect_ai logs: one per model, temperature and condition.

    Scenarios become samples, samples become epochs, and the judges' labels become scores.
    """
    from steertui.analysis.summary import ReportFilter, summarise
    from steertui.report.inspect_log import write_logs
    from steertui.store import Store

    with Store(db, must_exist=True) as store:
        chosen = summarise(store, ReportFilter(experiments, models, conditions, judges))
        written = write_logs(store, chosen, folder)
    print_line(f"Written: {len(written)} logs in {folder}", to_stderr=True)
