"""The command line: a module a command; every heavy import waits until a command needs it."""

from steertui.cli.doctor import doctor
from steertui.cli.report import report
from steertui.cli.root import cli

for command in (doctor, report):
    cli.add_command(command)

__all__ = ["cli"]
