"""Plan of label orders: which answers a local judge scores in which rotations of the label list.

In rotation r the rubric lists the labels beginning with label r (see `judge.label_order`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from steertui.core.verdict import Debias
from steertui.judge.label_order import (
    ROTATIONS,
    SAMPLE_SIZE,
    LogliksByRotation,
    PositionPrior,
    estimate_prior,
)


class ScoringTask(NamedTuple):
    """One answer to score in one rotation; its text form is the id of the engine's request.

    Attributes:
        key: of the trial.
        rotation: index of the label that comes first in the list.
    """

    key: str
    rotation: int = 0

    def __str__(self) -> str:
        return f"{self.key}/{self.rotation}" if self.rotation else self.key

    @staticmethod
    def parse(text: str) -> "ScoringTask":
        """Return the task with this text form."""
        key, _, rotation = text.partition("/")
        return ScoringTask(key, int(rotation or 0))


class LabelOrderPlan:
    """Log-likelihoods scored so far, in this run and before, and the tasks that are left.

    If the effect of the order is estimated from a sample, the sample is chosen by a hash of the
    trials' keys. It is then the same on every machine. The sample is scored before other answers.
    """

    def __init__(
        self,
        debias: Debias,
        keys: Sequence[str],
        stored: Mapping[str, Mapping[int, Sequence[float]]],
    ) -> None:
        """Plan for the answers of `keys`.

        `stored` are the log-likelihoods of all scored answers, by key and rotation.
        """
        self._debias = debias
        self._keys = keys
        self._logliks = {key: dict(rotations) for key, rotations in stored.items()}
        self._in_all_orders = set(self._choose_sample())
        self._prior: PositionPrior | None = None

    def _choose_sample(self) -> Sequence[str]:
        """Return the keys of the answers to score in every rotation."""
        if self._debias == "none":
            return ()
        if self._debias == "permute":
            return self._keys
        unjudged = set(self._keys)
        complete = sum(
            len(rotations) == ROTATIONS and key not in unjudged
            for key, rotations in self._logliks.items()
        )
        # Answers with most rotations stored come first, so that an interrupted sample is completed.
        shuffled = sorted(
            self._keys, key=lambda key: (-len(self._logliks.get(key, ())), _hash(key))
        )
        return shuffled[: max(0, SAMPLE_SIZE - complete)]

    def stages(self) -> Iterator[tuple[list[str], list[ScoringTask]]]:
        """Yield keys and tasks of two stages: answers in every rotation, then the others."""
        sample = [key for key in self._keys if key in self._in_all_orders]
        yield sample, self._missing(sample, range(ROTATIONS))
        if self._debias == "estimate":
            complete = [
                rotations for rotations in self._logliks.values() if len(rotations) == ROTATIONS
            ]
            self._prior = estimate_prior(complete) if complete else None
        others = [key for key in self._keys if key not in self._in_all_orders]
        yield others, self._missing(others, range(1))

    def _missing(self, keys: Sequence[str], rotations: range) -> list[ScoringTask]:
        return [
            ScoringTask(key, rotation)
            for key in keys
            for rotation in rotations
            if rotation not in self._logliks.get(key, {})
        ]

    def add(self, key: str, rotation: int, logliks: Sequence[float]) -> None:
        """Add the labels' log-likelihoods of one answer in one rotation."""
        self._logliks.setdefault(key, {})[rotation] = logliks

    def ready(self, key: str) -> tuple[LogliksByRotation, PositionPrior | None] | None:
        """Return the log-likelihoods and position shares for a verdict; None if some are missing.

        The position shares are None unless they are estimated from a sample.
        """
        logliks = self._logliks.get(key, {})
        is_complete = len(logliks) == ROTATIONS or (key not in self._in_all_orders and 0 in logliks)
        return (logliks, self._prior) if is_complete else None


def _hash(key: str) -> str:
    return hashlib.sha256(f"turns{key}".encode()).hexdigest()
