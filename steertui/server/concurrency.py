"""A Pace: how many answers at once are asked of a server, found while it works."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from steertui.server.probe import ServerKind

FIRST: Mapping[ServerKind, int] = MappingProxyType({"vLLM": 64, "SGLang": 64, "Ollama": 4})
"""Answers at once to begin with, where a server does not say how many it writes: vLLM and SGLang
keep what they cannot write yet in a queue of their own, at no cost."""

FIRST_OF_OTHERS = 16

RISE = 1.1
"""Throughput must be so many times what it was for a rise to have paid."""

HOLD = 8
"""Turns of calm before more is tried again."""


SPARE = 1.25
"""So many times what a server has in work is asked for: a few wait at its door."""


class AdaptiveConcurrency:
    """Doubles while the throughput rises with it, goes back where it does not, tries a quarter
    more now and then. What a server has in work is its throughput times what its quickest answers
    take (Little's law); where far more than that waits at its door, less is asked for, and the
    rest stays in the queue for whichever server is free. Where the server says that it is too
    much (429, 503), or is too slow, it halves and comes back in small steps.

    A turn is as many answers as are asked at once, and a second at the least.
    """

    def __init__(self, make: ServerKind, slots: int, most: int, now: float, share: int = 0) -> None:
        """`share` is how many prompts there are for it: not more than a quarter of them is asked
        for before it is known how fast it is, or it would sit on what others could do."""
        self._most = max(1, most)
        # A server that says how many it writes is kept full, with a few waiting at its door.
        told = slots + max(1, slots // 4) if slots else 0
        first = told or FIRST.get(make, FIRST_OF_OTHERS)
        if share and not told:
            first = min(first, max(4, share // 4))
        self._limit = self._before = min(self._most, first)
        self._searches = not told
        self._step = 2.0
        self._rate, self._calm, self._goal = 0.0, 0, 0
        self._refused = -math.inf
        self._quick = math.inf
        self._held_up: list[float] = []
        self._start(now)

    def _start(self, now: float) -> None:
        self._begun, self._answers, self._tokens = now, 0, 0
        self._full = True
        self._held_up = []

    @property
    def limit(self) -> int:
        """Answers to ask for at once."""
        return self._limit

    def answered(self, tokens: int, took: float, now: float, *, full: bool) -> None:
        """Note an answer of so many tokens that took so many seconds; `full` where as many were
        asked as allowed."""
        self._held_up.append(took / max(tokens, 1))
        self._answers += 1
        self._tokens += max(tokens, 1)
        self._full &= full
        seconds = now - self._begun
        if self._answers < self._limit or seconds < 1.0:
            return
        if self._goal:
            self._recover()
        elif self._full and self._searches:
            self._look(self._tokens / seconds)
        self._start(now)

    def refused(self, now: float) -> None:
        """Halve, once in a second."""
        if now - self._refused < 1.0:
            return
        self._refused = now
        self._goal = max(self._goal, self._limit)
        self._limit = max(1, self._limit // 2)
        self._start(now)

    def _recover(self) -> None:
        self._limit = min(self._goal, self._limit + max(1, self._limit // 8))
        if self._limit == self._goal:
            self._goal, self._rate = 0, 0.0
            self._settle(self._limit)

    def _look(self, rate: float) -> None:
        """Ask for less where much waits at the door; else look for more."""
        quickest = sorted(self._held_up)[len(self._held_up) // 20]
        self._quick = min(self._quick, quickest)
        enough = math.ceil(SPARE * rate * self._quick) + 1
        if enough < self._limit / SPARE:
            self._rate = rate
            self._settle(enough)
        else:
            self._search(rate)

    def _search(self, rate: float) -> None:
        if self._calm:
            self._calm -= 1
            self._rate = rate
            if not self._calm:
                self._raise()
        elif rate > RISE * self._rate:
            self._rate = rate
            self._raise()
        else:
            self._settle(self._before)

    def _settle(self, limit: int) -> None:
        self._limit = self._before = limit
        self._calm, self._step = HOLD, 1.25

    def _raise(self) -> None:
        self._before = self._limit
        if self._step == 2.0:
            self._quick = math.inf  # a server that shares its time out takes longer for each now
        self._limit = min(self._most, math.ceil(self._limit * self._step))
