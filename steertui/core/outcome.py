"""An Outcome: where one planned trial stands under one judge; and the Ledger that counts them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from steertui.core.verdict import Label


class Outcome(NamedTuple):
    """One planned trial under one judge; `label` None and not `failed` means not judged yet.

    `truncated` is None where an imported run did not write down why its answer ended.
    `digest` is equal for two answers of one text, and None where there is no answer to read.
    `drawn` is for labels by hand that a queue in random order drew: the judge whose labels made
    its strata, "" for none.
    A tuple, since a report may hold a hundred thousand of them.
    """

    scenario: str
    category: str
    condition: str
    sample: int
    generated: bool
    truncated: bool | None
    label: Label | None
    failed: bool
    digest: str | None = None
    drawn: str | None = None


_STANDING = attrgetter("generated", "truncated", "failed", "label")


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """Where every planned trial stands; raises ValueError where the counts do not add up.

    `truncated` is None where of some answer nobody knows why it ended.
    """

    planned: int
    generated: int
    truncated: int | None
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
        if (
            not self.planned
            >= self.generated
            >= max(self.judged + self.failed, self.truncated or 0)
        ):
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


def count_trials(outcomes: Iterable[Outcome]) -> TrialCounts:
    """Count the trials by where they stand.

    Raises ValueError where an outcome contradicts itself: judged or truncated without an
    answer, or labelled and failed at once.
    """
    counts: Counter[str] = Counter()
    kinds = Counter(map(_STANDING, outcomes))  # counted in C: a report may hold a hundred thousand
    for (generated, truncated, failed, label), number in kinds.items():
        counts["planned"] += number
        counts["generated"] += number * generated
        counts["truncated"] += number * bool(truncated)
        counts["failed"] += number * failed
        if label is not None:
            counts["judged"] += number
            counts[label.value] += number
    found = TrialCounts(**{name: counts[name] for name in TrialCounts.__dataclass_fields__})
    is_known = all(truncated is not None for _, truncated, _, _ in kinds)
    return found if is_known else replace(found, truncated=None)


def counts_by_condition(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each condition, the conditions in planned order."""
    return _parted(outcomes, attrgetter("condition"))


def counts_by_category(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each category, the categories in planned order."""
    return _parted(outcomes, attrgetter("category"))


def _parted(
    outcomes: Iterable[Outcome], name: Callable[[Outcome], str]
) -> dict[str, list[Outcome]]:
    """Return the outcomes of each name, the names in the order in which they first come."""
    every = list(outcomes)
    order = dict.fromkeys(map(name, every))
    parts = {key: list(own) for key, own in groupby(sorted(every, key=name), name)}
    return {key: parts[key] for key in order}
