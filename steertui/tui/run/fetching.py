"""Downloads and verification before a run from the screen."""

import time
from collections.abc import Generator

from steertui.assets.fetch.download import RetryWait
from steertui.core.experiment import Experiment
from steertui.execution.downloads import ByteMeter, download_line
from steertui.planning.supply import (
    DownloadPlan,
    DownloadProgress,
    DownloadsComplete,
    supply_experiment,
)
from steertui.tui.run.run_messages import Stage

INTERVAL = 0.1
"""Minimum seconds between two progress reports."""

STAGE_NAME = "download, MB"


def supply_in_stages(experiment: Experiment) -> Generator[Stage, None, None]:
    """Download and verify what the experiment lacks; yield the progress in megabytes.

    Yields nothing if nothing is missing. Close the generator to stop; received bytes stay.
    """
    meter = ByteMeter()
    reported = 0.0
    stage = Stage(0, 0)
    for event in supply_experiment(experiment):
        match event:
            case DownloadPlan():
                stage = Stage(stage.done, _megabytes(event.total), download_line(event))
            case DownloadProgress():
                total = _megabytes(event.total)
                stage = Stage(_megabytes(event.all_done), total, meter.text(event))
            case RetryWait():
                stage = Stage(stage.done, stage.total, event.reason)
            case _:
                stage = Stage(stage.total, stage.total, "downloaded and verified")
        is_due = time.monotonic() - reported > INTERVAL
        if is_due or isinstance(event, DownloadPlan | DownloadsComplete):
            reported = time.monotonic()
            yield stage


def _megabytes(size: int) -> int:
    """Return bytes in megabytes, rounded up."""
    return -(-size // 1_000_000)
