"""A run fills in what the store lacks, and tells what it did."""

from steertui.run.events import Asked, Event, Generated, Judged, Loaded, Opened, Stepped, Stopped
from steertui.run.run import judge, run

__all__ = [
    "Asked",
    "Event",
    "Generated",
    "Judged",
    "Loaded",
    "Opened",
    "Stepped",
    "Stopped",
    "judge",
    "run",
]
