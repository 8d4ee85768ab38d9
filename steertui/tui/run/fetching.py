"""Stages of downloads, verification and training of vectors on the Run screen."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from steertui.assets.fetch.download import RetryWait
from steertui.core.experiment import Experiment
from steertui.execution import WeightsProgress
from steertui.execution.downloads import (
    ByteMeter,
    complete_text,
    download_line,
    training_line,
)
from steertui.planning.left_out import without_missing_files
from steertui.planning.reach import Sizes
from steertui.planning.remote_models import Supplied, missing_downloads, supply_plan
from steertui.planning.supply import DownloadPlan, DownloadProgress, DownloadsComplete, Event
from steertui.planning.vector_training import VectorTraining
from steertui.tui.run.run_messages import Stage

INTERVAL = 0.1
"""Minimum seconds between two progress reports."""

DOWNLOAD = "download, MB"
VERIFICATION = "verify, MB"
TRAINING = "train vector"
"""Names of the stages."""


def supply_in_stages(
    experiment: Experiment, db: Path, agrees: Callable[[Sizes], bool]
) -> Generator[dict[str, Stage], None, Supplied | None]:
    """Fetch what the plan needs, and train missing vectors; yield the progress by stage.

    Weights of several models are left to the run, which fetches them one model ahead. `agrees` is
    asked first, for all files of the run; None is returned if it returns False. Downloads are
    counted in megabytes, trainings in pairs. Close the generator to stop; received bytes stay.
    """
    supplied: list[Supplied] = []

    def events() -> Iterator[Event]:
        present, missing = without_missing_files(experiment)
        downloads = yield from missing_downloads(present)
        if agrees(downloads):
            found = yield from supply_plan(present, db)
            supplied.append(replace(found, left_out=(*missing, *found.left_out)))

    yield from _stages(events())
    return supplied[0] if supplied else None


def _stages(events: Iterable[Event]) -> Iterator[dict[str, Stage]]:
    meter = ByteMeter()
    reported = 0.0
    name, stage = DOWNLOAD, Stage(0, 0)
    for event in events:
        match event:
            case DownloadPlan():
                name = DOWNLOAD if event.fetch else VERIFICATION
                stage = Stage(stage.done, megabytes(event.total), download_line(event))
            case DownloadProgress():
                total = megabytes(event.total)
                stage = Stage(megabytes(event.all_done), total, meter.text(event))
            case RetryWait():
                stage = Stage(stage.done, stage.total, event.reason)
            case VectorTraining():
                name, stage = TRAINING, Stage(event.done, event.total, training_line(event))
            case DownloadsComplete():
                stage = Stage(stage.total, stage.total, complete_text(event))
        is_due = time.monotonic() - reported > INTERVAL
        if is_due or isinstance(event, DownloadPlan | DownloadsComplete):
            reported = time.monotonic()
            yield {name: stage}


def weights_stage(event: WeightsProgress) -> dict[str, Stage]:
    """Return the stage of a download that the run waits for, or of the next model's weights."""
    text = event.reason or f"{'next: ' * event.is_ahead}weights of {event.model}"
    return {DOWNLOAD: Stage(megabytes(event.done), megabytes(event.total), text)}


def megabytes(size: int) -> int:
    """Return bytes in megabytes, rounded up."""
    return -(-size // 1_000_000)
