"""Stopwatch of an engine: every moment belongs to one phase of its work."""

import time
from collections.abc import Mapping
from enum import StrEnum


class Phase(StrEnum):
    """What the engine's process does."""

    WAITING = "waiting for requests"
    SCHEDULING = "scheduling"
    """Admission to slots, prefix sharing, the token batch of each step."""
    DECODING = "decode"
    """llama_decode, and the wait for its logits, which it copies to main memory."""
    SAMPLING = "sampling"
    """Next tokens, or the likelihoods of continuations; a check that logits are finite."""
    MESSAGES = "messages"
    """Snapshots and finished requests to the parent process."""


class Stopwatch:
    """Seconds of wall time by phase."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(Phase, 0.0)
        self._phase = Phase.WAITING
        self._since = time.perf_counter()

    def enter(self, phase: Phase) -> None:
        """End the current phase and begin another one."""
        now = time.perf_counter()
        self._seconds[self._phase] += now - self._since
        self._phase = phase
        self._since = now

    @property
    def seconds(self) -> Mapping[Phase, float]:
        """Seconds by phase, without the current one."""
        return dict(self._seconds)
