"""Fetching and verifying, before a run from the screen."""

import time
from collections.abc import Generator

from steertui.assets.fetch.download import RetryWait
from steertui.core.experiment import Experiment
from steertui.planning.supply import DownloadPlan, Supplied, Supplying, supply_experiment
from steertui.run.downloads import ByteMeter, download_line

TICK = 0.1
STAGE = "fetch, MB"


def supplying(experiment: Experiment) -> Generator[tuple[int, int, str], None, None]:
    """Supply the experiment; yield megabytes done, megabytes in all, and the pace in words.

    Nothing is yielded where nothing is lacking; close it to stop, and what came stays.
    """
    meter, told = ByteMeter(), 0.0
    done, total, pace = 0, 0, ""
    for event in supply_experiment(experiment):
        if isinstance(event, DownloadPlan):
            total, pace = _megabytes(event.total), download_line(event)
        elif isinstance(event, Supplying):
            done, total, pace = (
                _megabytes(event.all_done),
                _megabytes(event.total),
                meter.text(event),
            )
        elif isinstance(event, RetryWait):
            pace = event.reason
        else:
            done, pace = total, "all here and verified"
        if time.monotonic() - told > TICK or isinstance(event, DownloadPlan | Supplied):
            told = time.monotonic()
            yield done, total, pace


def _megabytes(size: int) -> int:
    return -(-size // 1_000_000)
