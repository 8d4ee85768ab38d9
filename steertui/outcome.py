"""An Outcome: where one planned trial stands under one judge; and the Ledger that counts them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from steertui.verdict import Label


class Outcome(NamedTuple):
    """One planned trial under one judge; `label` None and not `failed` means not judged yet.

    `digest` is equal for two answers of one text, and None where there is no answer to read.
    A tuple, since a report may hold a hundred thousand of them.
    """

    scenario: str
    category: str
    condition: str
    sample: int
    generated: bool
    truncated: bool
    label: Label | None
    failed: bool
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every planned trial stands; raises ValueError where the counts do not add up."""

    planned: int
    generated: int
    truncated: int
    judged: int
    failed: int
    convergence: int
    no_convergence: int
    safety_refusal: int
    nonsensical: int

    def __post_init__(self) -> None:
        labels = self.convergence + self.no_convergence + self.safety_refusal + self.nonsensical
        if self.judged != labels:
            raise ValueError(f"{self.judged} judged but {labels} labels")
        if not self.planned >= self.generated >= max(self.judged + self.failed, self.truncated):
            raise ValueError("more trials judged, failed or truncated than generated, or planned")

    @property
    def valid(self) -> int:
        """Judged items that are not nonsensical: the paper's denominator."""
        return self.judged - self.nonsensical

    @property
    def waiting(self) -> int:
        """Planned trials without an answer; with `generated` they are the planned ones."""
        return self.planned - self.generated

    @property
    def unread(self) -> int:
        """Answers no judge has read; with `judged` and `failed` they are the generated ones."""
        return self.generated - self.judged - self.failed


def ledger(outcomes: Iterable[Outcome]) -> Ledger:
    """Count the trials by where they stand.

    Raises ValueError where an outcome contradicts itself: judged or truncated without an
    answer, or labelled and failed at once.
    """
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts["planned"] += 1
        counts["generated"] += outcome.generated
        counts["truncated"] += outcome.truncated
        counts["failed"] += outcome.failed
        if outcome.label is not None:
            counts["judged"] += 1
            counts[outcome.label.value] += 1
    return Ledger(**{name: counts[name] for name in Ledger.__dataclass_fields__})


def by_condition(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each condition, the conditions in planned order."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.condition, []).append(outcome)
    return found


def by_category(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each category, the categories in planned order."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.category, []).append(outcome)
    return found
