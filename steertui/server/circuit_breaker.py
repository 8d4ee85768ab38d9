"""Circuit breaker over the last replies of a server."""

from collections import deque

WINDOW = 50
"""Number of last replies that are counted."""

MIN_REPLIES = 20
"""Replies before the circuit can open."""

FAILURE_SHARE = 0.7
"""Share of failures that opens the circuit. If 30 % of the replies fail at random, the first 20
replies open it in fewer than 1 of 10,000 cases (binomial: 14 or more of 20)."""


class CircuitBreaker:
    """Opens if too many of the last replies were failures. It never closes by itself."""

    def __init__(self) -> None:
        self._failures: deque[bool] = deque(maxlen=WINDOW)

    def note(self, *, failed: bool) -> None:
        """Count a reply."""
        self._failures.append(failed)

    @property
    def is_open(self) -> bool:
        """Whether no more requests should be sent."""
        count = len(self._failures)
        return count >= MIN_REPLIES and sum(self._failures) >= FAILURE_SHARE * count

    @property
    def summary(self) -> str:
        """The count in words: "18 of the last 20 replies were failures"."""
        return f"{sum(self._failures)} of the last {len(self._failures)} replies were failures"
