"""A run fills in what the store lacks, and tells what it did."""

from steertui.run.events import Event, Generated, Judged, Loaded, Stepped
from steertui.run.run import run

__all__ = ["Event", "Generated", "Judged", "Loaded", "Stepped", "run"]
