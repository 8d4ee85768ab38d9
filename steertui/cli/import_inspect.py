"""`steertui import-inspect`: logs of inspect_ai as answers and labels."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH, PATH_TEXT
from steertui.printable import print_line


@click.command("import-inspect", short_help="Answers and scores of inspect_ai logs.")
@click.argument("logs", metavar="LOG...", type=PATH_TEXT, nargs=-1, required=True)
@click.option(
    "--db", type=PATH, default=Path("inspect.db"), show_default=True, help="SQLite file to write"
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="VALUE=LABEL",
    help="Label that a scorer's value stands for, such as C=convergence; repeatable [default: "
    "values that are the names of labels]",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, 5),
    help="Temperature of logs that state none [default: such logs are refused]",
)
def import_inspect(
    logs: tuple[str, ...], db: Path, labels: tuple[str, ...], temperature: float | None
) -> None:
    """Import logs of inspect_ai as answers and labels, without inspect_ai, a model or a key.

    LOG is an .eval or .json file or a folder of them; CONDITION=LOG names the condition of a log
    that does not name it. Scorers become judges if their values are the four labels. The program
    says what the logs lack. Give the logs that you compare in one call.
    """
    from steertui.imports.inspect_import import prepare_import, store_import
    from steertui.imports.inspect_run import read_runs
    from steertui.imports.score_labels import parse_mapping
    from steertui.output_files import check_database
    from steertui.store import Store
    from steertui.units import quantity

    check_database(db)
    try:
        mapping = parse_mapping(labels)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--label") from None
    prepared = prepare_import(read_runs(logs, temperature), mapping)
    with Store(db) as store:
        experiment = store_import(prepared, store)
    for note in prepared.notes:
        print_line(f"! {note}.")
    print_line(
        f"{quantity(prepared.answers, 'answer')} and {quantity(prepared.labels, 'label')} of "
        f"{quantity(len(prepared.runs), 'log')} are in {db}."
    )
    print_line(f"Experiment:        {experiment}")
    print_line(f"Results:           steertui report {db}")
    print_line(f"Another judge:     steertui judge {db} --judge local:demo")
