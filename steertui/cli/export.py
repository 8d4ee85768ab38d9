"""`steertui export`: logs for inspect_ai, a dataset for the Hugging Face hub, Datasette."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH
from steertui.printable import print_line


@click.command(short_help="Logs for inspect_ai, a dataset for the hub, Datasette's metadata.")
@click.argument("db", type=PATH)
@click.option("--inspect", "folder", type=PATH, metavar="FOLDER", help="Write inspect_ai logs")
@click.option(
    "--dataset",
    type=PATH,
    metavar="FOLDER",
    help="Write Parquet files and a card, as the Hugging Face hub reads them",
)
@click.option(
    "--datasette",
    type=PATH,
    metavar="FILE",
    help="Write metadata for Datasette, with the meaning of all tables and columns, as JSON",
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
def export(
    db: Path,
    folder: Path | None,
    dataset: Path | None,
    datasette: Path | None,
    experiments: tuple[str, ...],
    models: tuple[str, ...],
    conditions: tuple[str, ...],
    judges: tuple[str, ...],
) -> None:
    """Write the results in DB for other programs.

    --inspect writes one log per model, temperature and condition: scenarios become samples, samples
    become epochs, and the judges' labels become scores. --datasette describes the whole database.
    """
    from steertui.analysis.summary import ReportFilter, summarise
    from steertui.paper.comparison import compare_with_paper
    from steertui.store import Store

    if not (folder or dataset or datasette):
        raise click.UsageError("give --inspect, --dataset or --datasette")
    with Store(db, must_exist=True) as store:
        chosen = summarise(store, ReportFilter(experiments, models, conditions, judges))
        if folder:
            from steertui.report.inspect_log import write_logs

            written = write_logs(store, chosen, folder)
            print_line(f"Written: {len(written)} logs in {folder}", to_stderr=True)
        if dataset:
            from steertui.report.dataset import write_dataset

            files = write_dataset(store, chosen, compare_with_paper(store, chosen), dataset)
            print_line(f"Written: {', '.join(map(str, files))}", to_stderr=True)
        if datasette:
            from steertui.report.datasette import write_metadata

            write_metadata(store, datasette)
            print_line(f"Written: {datasette}", to_stderr=True)
