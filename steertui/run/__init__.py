"""A run fills in what the store lacks, and tells what it did."""

from steertui.run.events import (
    Asked,
    Event,
    Generated,
    Judged,
    Loaded,
    Opened,
    Served,
    ServerFound,
    ServerLost,
    Stepped,
    Stopped,
    Unserved,
)
from steertui.run.run import judge, run

__all__ = [
    "Asked",
    "Event",
    "Generated",
    "Judged",
    "Loaded",
    "Opened",
    "Served",
    "ServerFound",
    "ServerLost",
    "Stepped",
    "Stopped",
    "Unserved",
    "judge",
    "run",
]
