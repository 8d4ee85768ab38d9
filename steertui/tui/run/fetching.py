"""Downloads, verification and training of vectors before a run from the screen."""

import time
from collections.abc import Callable, Generator
from pathlib import Path

from steertui.assets.fetch.download import RetryWait
from steertui.core.experiment import Experiment
from steertui.execution.downloads import ByteMeter, download_line, training_line
from steertui.planning.supply import (
    DownloadPlan,
    DownloadProgress,
    DownloadsComplete,
    supply_experiment,
)
from steertui.planning.vector_training import VectorTraining
from steertui.tui.run.run_messages import Stage

INTERVAL = 0.1
"""Minimum seconds between two progress reports."""

DOWNLOAD = "download, MB"
TRAINING = "train vector"
"""Names of the stages."""


def supply_in_stages(
    experiment: Experiment, db: Path, agrees: Callable[[DownloadPlan], bool]
) -> Generator[dict[str, Stage], None, None]:
    """Download, verify and train what the experiment lacks; yield the progress by stage.

    Downloads are counted in megabytes, trainings in pairs. Yields nothing if nothing is missing.
    Nothing is downloaded or trained unless `agrees` returns True for the planned downloads. Close
    the generator to stop; received bytes and hidden states stay.
    """
    meter = ByteMeter()
    reported = 0.0
    name, stage = DOWNLOAD, Stage(0, 0)
    for event in supply_experiment(experiment, db):
        match event:
            case DownloadPlan():
                if not agrees(event):
                    return
                stage = Stage(stage.done, _megabytes(event.total), download_line(event))
            case DownloadProgress():
                total = _megabytes(event.total)
                stage = Stage(_megabytes(event.all_done), total, meter.text(event))
            case RetryWait():
                stage = Stage(stage.done, stage.total, event.reason)
            case VectorTraining():
                name, stage = TRAINING, Stage(event.done, event.total, training_line(event))
            case _:
                stage = Stage(stage.total, stage.total, "downloaded and verified")
        is_due = time.monotonic() - reported > INTERVAL
        if is_due or isinstance(event, DownloadPlan | DownloadsComplete):
            reported = time.monotonic()
            yield {name: stage}


def _megabytes(size: int) -> int:
    """Return bytes in megabytes, rounded up."""
    return -(-size // 1_000_000)
