"""Progress of downloads, verification and training as text: sizes, rate, time left."""

import time
from collections import deque

from steertui.assets.fetch.download import RetryWait
from steertui.planning.supply import DownloadPlan, DownloadProgress, DownloadsComplete
from steertui.planning.vector_training import VectorTraining
from steertui.units import clock, quantity, size_text

RATE_WINDOW = 15.0
"""Seconds over which the transfer rate is averaged."""


def download_line(event: DownloadPlan) -> str:
    """Return what will be downloaded and verified, with the sizes."""
    parts = []
    for verb, items in (("to fetch", event.fetch), ("to verify", event.verify)):
        if items:
            names = ", ".join(name for name, _ in items[:4]) + ", …" * (len(items) > 4)
            files = f"{len(items)} file{'s' * (len(items) > 1)}"
            parts.append(f"{size_text(sum(s for _, s in items))} {verb} ({files}: {names})")
    return "Files   " + "; ".join(parts)


def complete_text(event: DownloadsComplete) -> str:
    """Return what was done with the files."""
    return "downloaded and verified" if event.is_fetched else "verified"


def waiting_line(event: RetryWait) -> str:
    """Return why a download waits, and for how long."""
    return f"Waiting for {event.name}: {event.reason}; {event.seconds:.0f} s"


class ByteMeter:
    """Transfer rate over the last `RATE_WINDOW` seconds, and the time left at that rate."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def text(self, event: DownloadProgress) -> str:
        """Return "1.20 of 2.50 GB, 48 MB/s, 0:27 left"."""
        now = time.monotonic()
        self._samples.append((now, event.all_done))
        while len(self._samples) > 2 and now - self._samples[0][0] > RATE_WINDOW:
            self._samples.popleft()
        first_time, first_bytes = self._samples[0]
        seconds = now - first_time
        received = event.all_done - first_bytes
        progress = f"{size_text(event.all_done)} of {size_text(event.total)}"
        if seconds < 0.5 or received <= 0:
            return progress
        rate = received / seconds
        left = clock((event.total - event.all_done) / rate)
        return f"{progress}, {size_text(rate)}/s, {left} left"


def training_line(event: VectorTraining) -> str:
    """Return the progress of a training as one line."""
    name = f"{event.name} on {event.model}"
    if event.is_stored:
        return f"Vectors trained: {name}, {quantity(event.total, 'pair')}"
    return f"Vectors training {name}: {event.done} of {quantity(event.total, 'pair')}"
