"""A Recount: when the rates are counted anew, while a run goes on."""

import time

from steertui.report.summary import Summary, summarise
from steertui.store import Store

RECOUNT = 1.0
RECOUNT_SHARE = 0.03
"""Of the run's time, what counting the rates anew may take."""


class Recount:
    """Counts the rates anew, rarely enough to cost the run next to nothing."""

    def __init__(self, now: float) -> None:
        self._next = now + RECOUNT

    def due(self, store: Store, experiment: str, now: float) -> Summary | None:
        """Return the rates if it is time for them."""
        if now < self._next:
            return None
        begin = time.monotonic()
        summary = summarise(store, experiment)
        cost = time.monotonic() - begin
        self._next = now + max(RECOUNT, cost / RECOUNT_SHARE)
        return summary
