"""Blame: which requests are suspected of killing the engine, and which one is proven to."""

from collections import Counter
from collections.abc import Iterable

PROOF = 3
"""Deaths with nobody else at work that prove a request guilty; fewer may be the machine's doing."""


class CrashAttribution:
    """Who was at work when the engine died.

    A request that saw two deaths is suspected, and runs alone from then on. Two deaths in one
    batch prove nothing, and a machine that kills at random must not fail the innocent.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()

    def is_suspect(self, request: str) -> bool:
        """Whether it is to run alone, after all others."""
        return self._seen[request] >= 2

    def count(self, at_work: Iterable[str]) -> None:
        """Count a death that several saw."""
        self._seen.update(at_work)
        self._alone.clear()  # the engine dies without the suspects, too

    def count_alone(self, request: str) -> bool:
        """Count a death with nobody else at work; return whether it is the proof."""
        self._seen[request] += 2
        self._alone[request] += 1
        return self._alone[request] == PROOF
