"""`steertui inspect`: description of a received file and of what a run with it would do."""

from pathlib import Path

import click

from steertui.cli.param_types import PATH
from steertui.printable import print_line


@click.command(short_help="Description of a received file, without running it.")
@click.argument("file", type=PATH)
def inspect(file: Path) -> None:
    """Describe FILE without running any of it.

    FILE is a database, a TOML file with an experiment, scenarios, conditions or a rubric, a
    scenario pack in another form, or a GGUF file. No server is contacted, nothing is downloaded and
    FILE is not changed.
    """
    from steertui.planning.inspection import inspect_file

    for line in list(inspect_file(file)):  # an error is the only output
        print_line(line)
