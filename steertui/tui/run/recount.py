"""A Recount: when the rates are counted anew, while a run goes on."""

import time

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.store import Store
from steertui.tui.run.draw_rate import DrawRate

RECOUNT = 1.0
"""Seconds between two counts, at the least."""

RECOUNT_SHARE = 0.01
"""Of the run's time, what counting the rates anew may take."""


class Recount:
    """Counts the rates anew, rarely enough to cost the run next to nothing."""

    def __init__(self, now: float) -> None:
        self._pace = DrawRate(RECOUNT_SHARE, RECOUNT)
        self._next = now + RECOUNT

    def due(self, store: Store, experiment: str, now: float) -> Summary | None:
        """Return the rates if it is time for them."""
        if now < self._next:
            return None
        begin = time.monotonic()
        summary = summarise_experiment(store, experiment)
        self._pace.took(time.monotonic() - begin)
        self._next = now + self._pace.gap
        return summary
