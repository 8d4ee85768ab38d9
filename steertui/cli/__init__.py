"""The command line: a module a command; every heavy import waits until a command needs it."""

from steertui.cli.bench import bench
from steertui.cli.doctor import doctor
from steertui.cli.export import export
from steertui.cli.merge import merge
from steertui.cli.models import models
from steertui.cli.report import report
from steertui.cli.root import cli
from steertui.cli.sources import sources

for command in (bench, doctor, export, merge, models, report, sources):
    cli.add_command(command)

__all__ = ["cli"]
