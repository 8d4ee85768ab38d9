"""A TurnPlan: which answers a local judge reads in which turns of its rubric, and what is read."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from steertui.core.verdict import Debias
from steertui.judge.label_order import SAMPLE, TURNS, Places, Turns, worth_of_places


class Question(NamedTuple):
    """An answer to be read in one turn; as text, an id for the engine."""

    key: str
    turn: int = 0

    def __str__(self) -> str:
        return f"{self.key}/{self.turn}" if self.turn else self.key

    @staticmethod
    def parse(text: str) -> "Question":
        """Return the question that a text names."""
        key, _, turn = text.partition("/")
        return Question(key, int(turn or 0))


class LabelOrderPlan:
    """What has been read, in this sitting and before, and what is still to be.

    Where the order's effect is learned from a sample, the sample is drawn by a hash of the
    trials' keys, so that it is the same for whoever starts, and completed before the rest is read.
    """

    def __init__(
        self,
        order: Debias,
        keys: Sequence[str],
        read: Mapping[str, Mapping[int, Sequence[float]]],
    ) -> None:
        self._order = order
        self._keys = keys
        self._read = {key: dict(turns) for key, turns in read.items()}
        self._whole = set(self._in_every_turn())
        self._places: Places | None = None

    def _in_every_turn(self) -> Sequence[str]:
        if self._order == "rubric":
            return ()
        if self._order == "all":
            return self._keys
        waiting = set(self._keys)
        done = sum(len(turns) == TURNS and key not in waiting for key, turns in self._read.items())
        mixed = sorted(self._keys, key=lambda k: (-len(self._read.get(k, ())), _mixed(k)))
        return mixed[: max(0, SAMPLE - done)]

    def stages(self) -> Iterator[tuple[list[str], list[Question]]]:
        """Yield answers with the questions that lack: those for every turn, then the others."""
        whole = [key for key in self._keys if key in self._whole]
        yield whole, self._lacking(whole, range(TURNS))
        if self._order == "sampled":
            full = [turns for turns in self._read.values() if len(turns) == TURNS]
            self._places = worth_of_places(full) if full else None
        rest = [key for key in self._keys if key not in self._whole]
        yield rest, self._lacking(rest, range(1))

    def _lacking(self, keys: Sequence[str], turns: range) -> list[Question]:
        return [Question(k, t) for k in keys for t in turns if t not in self._read.get(k, {})]

    def note(self, key: str, turn: int, logliks: Sequence[float]) -> None:
        """Add what was read."""
        self._read.setdefault(key, {})[turn] = logliks

    def ready(self, key: str) -> tuple[Turns, Places | None] | None:
        """Return what the verdict on an answer follows from; None where some is still to come."""
        turns = self._read.get(key, {})
        is_read = len(turns) == TURNS or (key not in self._whole and 0 in turns)
        return (turns, self._places) if is_read else None


def _mixed(key: str) -> str:
    return hashlib.sha256(f"turns{key}".encode()).hexdigest()
