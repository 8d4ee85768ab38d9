"""`steertui import-paper`: answers and labels of the paper's runs."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH
from steertui.printable import print_line


@click.command("import-paper", short_help="Answers and labels of the paper's runs.")
@click.argument("folder", type=PATH, required=False)
@click.option(
    "--db", type=PATH, default=Path("paper.db"), show_default=True, help="SQLite file to write"
)
@click.option(
    "--scenarios",
    help="The benchmark's folder of CSV files, for the category texts [default: the downloaded "
    "benchmark, if there is one]",
)
def import_paper(folder: Path | None, db: Path, scenarios: str | None) -> None:
    """Import runs of the paper's program as answers and labels, without a model or a key.

    FOLDER has one folder per run, with stdout.log and config.json. Without FOLDER, the published
    runs are read, which `steertui sources pull` downloads. All judges, tables and screens can use
    the imported answers.
    """
    from steertui.assets.sources import find_source, missing_files, require_source
    from steertui.core.scenario import load_pack
    from steertui.output_files import check_database
    from steertui.paper.importing import import_runs, read_runs
    from steertui.store import Store

    check_database(db)
    runs = read_runs(folder or require_source(find_source("paper-runs")))
    if not scenarios and not missing_files(find_source("instrumentaleval")):
        scenarios = "instrumentaleval"
    benchmark = load_pack(scenarios) if scenarios else ()
    with Store(db) as store:
        experiment = import_runs(runs, store, benchmark)
    items = sum(len(run.items) for run in runs)
    print_line(f"{items} answers and labels of {len(runs)} runs are in {db}.")
    print_line(f"Experiment:        {experiment}")
    print_line(f"Results:           steertui report {db}")
    print_line(f"Another judge:     steertui judge {db} --judge openai:gpt-5.2")
    print_line(f"Agreement:         steertui agree {db}")
