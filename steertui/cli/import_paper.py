"""`steertui import-paper`: the paper's own answers and labels into a database."""

from pathlib import Path

import click


@click.command("import-paper", short_help="The paper's own runs as answers and labels.")
@click.argument("folder", type=Path, required=False)
@click.option("--db", type=Path, default=Path("paper.db"), help="The SQLite file; paper.db here.")
@click.option("--scenarios", help="The benchmark's folder of CSV files, for its category texts.")
def import_paper(folder: Path | None, db: Path, scenarios: str | None) -> None:
    """Read runs of the paper's program as answers and labels; no model and no key is needed.

    FOLDER holds a folder with stdout.log and config.json for each run; if it is not given, the
    published runs that `steertui sources pull` fetched are read. Afterwards every judge, table
    and screen works on them.
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
    print(f"{items} answers and labels of {len(runs)} runs are in {db}, experiment {experiment}.")
    print(f"Their table:       steertui report {db}")
    print(f"Another judge:     steertui judge {db} --judge openai:gpt-5.2")
    print(f"Judges compared:   steertui agree {db}")
