"""Reading of the control set: what a judge on a server still has to read, and what it rereads.

A judge on a server may change between the control set and the answers. Some control answers are
therefore read again: before the answers, if the control set was read in an earlier run, between
them, and after them. The labels of a local judge depend on its file only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from steertui.core.verdict import Label
from steertui.judge.control import ControlSet
from steertui.planning.control_answers import (
    REREADS_PER_LABEL,
    control_answers,
    pending_control,
)
from steertui.planning.judges import Judge
from steertui.store import Store, UnjudgedAnswer


@dataclass(frozen=True, slots=True)
class Reread:
    """A control answer to be read again."""

    answer: UnjudgedAnswer


class ControlReading:
    """The control set as one judge reads it in one run.

    Attributes:
        pending: answers to be read for the first time, by key; the worker removes them.
        was_read: whether an earlier run read the set.
    """

    def __init__(self, store: Store, control_set: ControlSet | None, judge: Judge) -> None:
        self.pending = {a.key: a for a in pending_control(store, control_set, judge)}
        answers = control_answers(control_set) if control_set else []
        self.was_read = bool(answers) and not self.pending
        self._by_label: dict[Label, list[UnjudgedAnswer]] = {label: [] for label in Label}
        labelled = zip(control_set.answer if control_set else (), answers, strict=True)
        for item, answer in sorted(labelled, key=lambda pair: _hash(pair[1].key)):
            self._by_label[item.label].append(answer)
        self._turn = 0

    def rereading(self) -> Iterator[Reread]:
        """Yield the next control answers to be read again, equally many of each label."""
        start = self._turn * REREADS_PER_LABEL
        self._turn += 1
        for answers in self._by_label.values():
            for place in range(start, start + min(REREADS_PER_LABEL, len(answers))):
                yield Reread(answers[place % len(answers)])


def _hash(key: str) -> str:
    return sha256(f"reread{key}".encode()).hexdigest()
