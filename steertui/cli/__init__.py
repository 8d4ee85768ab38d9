"""Command line: one module per command. Heavy imports are delayed until a command needs them."""

from steertui.cli.agree import agree
from steertui.cli.bench import bench
from steertui.cli.bundle import bundle, reproduce, verify
from steertui.cli.contest import contest
from steertui.cli.doctor import doctor
from steertui.cli.export import export
from steertui.cli.import_inspect import import_inspect
from steertui.cli.import_paper import import_paper
from steertui.cli.inspect import inspect
from steertui.cli.judge import judge
from steertui.cli.judges import judges
from steertui.cli.label import label
from steertui.cli.merge import merge
from steertui.cli.models import models
from steertui.cli.power import power
from steertui.cli.report import report
from steertui.cli.root import cli
from steertui.cli.serve import serve
from steertui.cli.sources import sources
from steertui.cli.vector import vector

cli.section("Before a run", doctor, inspect, models, sources, vector, contest, judges, power, bench)
cli.section("After a run", report, agree, label, judge, export)
cli.section("For others to check", bundle, verify, reproduce)
cli.section("Other runs", merge, import_paper, import_inspect)
cli.section("The screens", serve)

__all__ = ["cli"]
