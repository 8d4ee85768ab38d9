"""Progress of downloads and verification as text: sizes, rate, time left."""

import time
from collections import deque

from steertui.assets.fetch.remote import RetryWait
from steertui.planning.supply import DownloadPlan, Supplying
from steertui.units import clock, size_text

RATE_WINDOW = 15.0
"""Seconds over which the transfer rate is averaged."""


def download_line(event: DownloadPlan) -> str:
    """Say what will be fetched and verified, the total first."""
    parts = []
    for verb, items in (("to fetch", event.fetch), ("to verify", event.verify)):
        if items:
            names = ", ".join(name for name, _ in items[:4]) + ", …" * (len(items) > 4)
            files = f"{len(items)} file{'s' * (len(items) > 1)}"
            parts.append(f"{size_text(sum(s for _, s in items))} {verb} ({files}: {names})")
    return "Supply  " + "; ".join(parts)


def waiting_line(event: RetryWait) -> str:
    """Say why nothing moves, and for how long."""
    return f"Waiting for {event.name}: {event.reason}; {event.seconds:.0f} s"


class ByteMeter:
    """Speed over the last seconds, and the time left at that speed."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def text(self, event: Supplying) -> str:
        """Return "1.20 of 2.50 GB, 48 MB/s, 0:27 left"."""
        now = time.monotonic()
        self._seen.append((now, event.all_done))
        while len(self._seen) > 2 and now - self._seen[0][0] > RATE_WINDOW:
            self._seen.popleft()
        seconds, moved = now - self._seen[0][0], event.all_done - self._seen[0][1]
        here = f"{size_text(event.all_done)} of {size_text(event.total)}"
        if seconds < 0.5 or moved <= 0:
            return here
        pace = moved / seconds
        left = clock((event.total - event.all_done) / pace)
        return f"{here}, {size_text(pace)}/s, {left} left"
