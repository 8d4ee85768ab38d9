"""A Breaker: tells a server that is no use from an unlucky one, early."""

from collections import deque

WINDOW = 50
"""Replies looked back on."""

FEWEST = 20
"""Replies before it says anything."""

SHARE = 0.7
"""Share of failures that is death: of a server that fails 30 % at random, fewer than one such
window in 10,000 looks dead (binomial, 14 or more of 20)."""


class CircuitBreaker:
    """Looks at the last replies; tripped where too many of them are failures."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=WINDOW)

    def note(self, *, failed: bool) -> None:
        """Add a reply."""
        self._last.append(failed)

    @property
    def is_tripped(self) -> bool:
        """Whether it is to be stopped."""
        return len(self._last) >= FEWEST and sum(self._last) >= SHARE * len(self._last)

    @property
    def words(self) -> str:
        """Say what was seen: "18 of the last 20 replies were failures"."""
        return f"{sum(self._last)} of the last {len(self._last)} replies were failures"
