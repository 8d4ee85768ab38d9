"""Adaptive number of requests in flight: slow start, then additive increase.

The limit doubles while throughput rises with it (slow start), then probes 25 % more from time to
time. The number of requests that the server works on is
estimated by Little's law (J. D. C. Little, Operations Research, 1961): tokens per second ×
seconds per token of the fastest answers. Requests beyond it wait in the server's queue. If they
are many, the limit is lowered, and they stay in our queue for whichever server is free. A rate
limit (HTTP 429, 503) or a timeout halves the limit, and it then grows back in steps of an eighth
(additive increase, multiplicative decrease, AIMD).
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from steertui.server.probe import ServerKind

INITIAL_LIMITS: Mapping[ServerKind, int] = MappingProxyType({"vLLM": 64, "SGLang": 64, "Ollama": 4})
"""First limit for servers that do not report their slots. vLLM and SGLang queue further requests
at no cost."""

DEFAULT_INITIAL_LIMIT = 16
"""First limit for other kinds of servers."""

SLOW_START_FACTOR = 2.0
"""Growth of the limit per round during slow start."""

PROBE_FACTOR = 1.25
"""Growth of the limit when more is tried after slow start."""

MIN_GAIN = 1.1
"""Throughput ratio from which on a higher limit counts as an improvement."""

CALM_ROUNDS = 8
"""Rounds at one limit before a higher one is tried."""

HEADROOM = 1.25
"""Requests in flight per request in work at the server, so that a few always wait there."""

MIN_ROUND_SECONDS = 1.0
"""Shortest round, and shortest time between two decreases."""


class AdaptiveConcurrency:
    """Limit on a server's requests in flight, adapted once per round.

    A round is as many answers as the limit, and at least one second.
    """

    def __init__(
        self, kind: ServerKind, slots: int, *, maximum: int, now: float, share: int = 0
    ) -> None:
        """Start at the server's slots, or at the initial limit of its kind.

        Args:
            kind: server software.
            slots: answers that the server generates in parallel; 0 if unknown. A known number is
                kept, with a quarter more in the server's queue, and no search takes place.
            maximum: highest limit.
            now: monotonic time in seconds.
            share: prompts that this server may expect; 0 if unknown. At most a quarter of them is
                requested before its speed is known, since a faster server may take them.
        """
        self._maximum = max(1, maximum)
        self._searches = not slots
        if slots:
            initial = slots + max(1, slots // 4)
        else:
            initial = INITIAL_LIMITS.get(kind, DEFAULT_INITIAL_LIMIT)
            if share:
                initial = min(initial, max(4, share // 4))
        self._limit = min(self._maximum, initial)
        self._previous_limit = self._limit
        self._growth = SLOW_START_FACTOR
        self._best_rate = 0.0
        self._calm_rounds_left = 0
        self._recovery_target = 0
        self._last_decrease = -math.inf
        self._fastest = math.inf
        self._was_full = True
        self._start_round(now)

    @property
    def limit(self) -> int:
        """Maximum requests in flight."""
        return self._limit

    def answered(self, tokens: int, took: float, now: float, *, full: bool) -> None:
        """Count an answer of `tokens` tokens that took `took` seconds.

        `full` says whether the limit was reached when the answer was requested. Only full rounds
        measure the server's capacity.
        """
        self._seconds_per_token.append(took / max(tokens, 1))
        self._answers += 1
        self._tokens += max(tokens, 1)
        self._was_full = self._was_full and full
        seconds = now - self._round_start
        if self._answers < self._limit or seconds < MIN_ROUND_SECONDS:
            return
        if self._recovery_target:
            self._increase()
        elif self._was_full and self._searches:
            self._adapt(self._tokens / seconds)
        self._start_round(now)

    def overloaded(self, now: float) -> None:
        """Halve the limit, at most once per second."""
        if now - self._last_decrease < MIN_ROUND_SECONDS:
            return
        self._last_decrease = now
        self._recovery_target = max(self._recovery_target, self._limit)
        self._limit = max(1, self._limit // 2)
        self._start_round(now)

    def _start_round(self, now: float) -> None:
        self._round_start = now
        self._answers = 0
        self._tokens = 0
        self._was_full = True
        self._seconds_per_token: list[float] = []

    def _increase(self) -> None:
        """Grow by an eighth toward the limit before the last decrease."""
        self._limit = min(self._recovery_target, self._limit + max(1, self._limit // 8))
        if self._limit == self._recovery_target:
            self._recovery_target = 0
            self._best_rate = 0.0
            self._settle(self._limit)

    def _adapt(self, rate: float) -> None:
        """Lower the limit if many requests wait at the server; otherwise search for a higher one.

        `rate` is the round's throughput in tokens per second.
        """
        fifth_percentile = sorted(self._seconds_per_token)[len(self._seconds_per_token) // 20]
        self._fastest = min(self._fastest, fifth_percentile)
        enough = math.ceil(HEADROOM * rate * self._fastest) + 1
        if enough < self._limit / HEADROOM:
            self._best_rate = rate
            self._settle(enough)
        else:
            self._search(rate)

    def _search(self, rate: float) -> None:
        if self._calm_rounds_left:
            self._calm_rounds_left -= 1
            self._best_rate = rate
            if not self._calm_rounds_left:
                self._raise_limit()
        elif rate > MIN_GAIN * self._best_rate:
            self._best_rate = rate
            self._raise_limit()
        else:
            self._settle(self._previous_limit)

    def _settle(self, limit: int) -> None:
        self._limit = limit
        self._previous_limit = limit
        self._calm_rounds_left = CALM_ROUNDS
        self._growth = PROBE_FACTOR

    def _raise_limit(self) -> None:
        self._previous_limit = self._limit
        if self._growth == SLOW_START_FACTOR:
            # Each request of a server that shares its time among them now takes longer.
            self._fastest = math.inf
        self._limit = min(self._maximum, math.ceil(self._limit * self._growth))
