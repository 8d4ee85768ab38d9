"""Attribution of engine crashes to requests: which ones run alone, and which one fails."""

from collections import Counter
from collections.abc import Iterable

CRASHES_TO_FAIL = 3
"""Consecutive crashes with only one request in the engine after which the request fails."""

CRASHES_TO_ISOLATE = 2
"""Crashes at which a request was present before it runs alone."""


class CrashAttribution:
    """Counts, for each request, the crashes at which it was in the engine.

    A request present at two crashes runs alone from then on, after all other requests. It fails
    after three crashes in a row at which it was alone. Crashes in a shared batch do not prove
    anything about one of its requests: on a machine that kills processes at random, other requests
    must not fail.
    """

    def __init__(self) -> None:
        self._present: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()

    def runs_alone(self, request: str) -> bool:
        """Whether the request is to run alone, after all others."""
        return self._present[request] >= CRASHES_TO_ISOLATE

    def record_shared(self, requests: Iterable[str]) -> None:
        """Record a crash with several requests in the engine."""
        self._present.update(requests)
        self._alone.clear()  # the engine also crashes without the isolated request

    def record_alone(self, request: str) -> bool:
        """Record a crash with one request in the engine; return whether the request fails."""
        self._present[request] += CRASHES_TO_ISOLATE
        self._alone[request] += 1
        return self._alone[request] == CRASHES_TO_FAIL
