"""Warnings of a table: their kinds, and the conditions that they are about."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class WarningKind(StrEnum):
    """Kind of a warning, the gravest first; the value names it in reports."""

    ONE_LABEL = "judge with one label"
    CHANGED_JUDGE = "changed judge"
    """The labels are not those of one judge at one time."""
    OWN_ANSWERS = "judge of its own answers"
    DISAGREEMENT = "judge disagreement"
    """Another judge or a reference judge leads to other results."""
    UNJUDGED = "unjudged trials"
    UNSCORED = "answers without a log-likelihood"
    NONSENSE = "nonsensical answers"
    TRUNCATED = "truncated answers"
    DEPENDENCE = "dependence on the condition"
    FEW_PAIRS = "few scenarios valid under both conditions"
    COPIES = "identical answers"
    UNEQUAL_LABELS = "unequal labels of equal answers"
    SERVER = "server settings"
    UNKNOWN = "unknown truncation"


@dataclass(frozen=True, slots=True)
class TrialWarning:
    """One warning.

    Attributes:
        kind: for counts by kind.
        text: one sentence without a full stop.
        conditions: that it is about; empty if it is about all.
    """

    kind: WarningKind
    text: str
    conditions: tuple[str, ...] = ()

    def is_about(self, shown: Collection[str]) -> bool:
        """Whether all its conditions are among the shown ones."""
        return {*self.conditions} <= {*shown}
