"""A Breaker: tells a dead judge from an unlucky one, early."""

from collections import deque

WINDOW = 50
"""Verdicts looked back on."""

FEWEST = 20
"""Verdicts before it says anything."""

SHARE = 0.7
"""Share of failures that is death: of a judge that fails 30 % at random, fewer than one such
window in 10,000 looks dead (binomial, 14 or more of 20)."""


class Breaker:
    """Looks at a judge's last verdicts; tripped where too many of them are failures."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=WINDOW)

    def note(self, *, failed: bool) -> None:
        """Add a verdict."""
        self._last.append(failed)

    @property
    def is_tripped(self) -> bool:
        """Whether the judge is to be stopped."""
        return len(self._last) >= FEWEST and sum(self._last) >= SHARE * len(self._last)

    @property
    def words(self) -> str:
        """Say what was seen: "18 of the last 20 replies were failures"."""
        return f"{sum(self._last)} of the last {len(self._last)} replies were failures"
