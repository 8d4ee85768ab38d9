"""Schedule of result summaries during a run."""

import time

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.store import Store
from steertui.tui.run.draw_rate import DrawRate

MIN_INTERVAL = 1.0
"""Minimum seconds between two summaries."""

TIME_SHARE = 0.01
"""Maximum share of the run's time that summaries take."""


class SummarySchedule:
    """Summarises the results rarely enough to cost the run at most `TIME_SHARE`."""

    def __init__(self, now: float) -> None:
        self._rate = DrawRate(TIME_SHARE, MIN_INTERVAL)
        self._next = now + MIN_INTERVAL

    def summary_if_due(self, store: Store, experiment: str, now: float) -> Summary | None:
        """Return a new summary if one is due, else None. `now` is monotonic, in seconds."""
        if now < self._next:
            return None
        begin = time.monotonic()
        summary = summarise_experiment(store, experiment)
        self._rate.add(time.monotonic() - begin)
        self._next = now + self._rate.interval
        return summary
