"""A run fills in what the store lacks, and tells what it did."""

from steertui.run.events import (
    Asked,
    Batched,
    Event,
    Generated,
    Judged,
    Loaded,
    Loading,
    Opened,
    Ordered,
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
    "Batched",
    "Event",
    "Generated",
    "Judged",
    "Loaded",
    "Loading",
    "Opened",
    "Ordered",
    "Served",
    "ServerFound",
    "ServerLost",
    "Stepped",
    "Stopped",
    "Unserved",
    "judge",
    "run",
]
