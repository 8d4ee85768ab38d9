"""Outcomes of planned trials under one judge, and their counts by state."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from steertui.core.verdict import Label


class Outcome(NamedTuple):
    """State of one planned trial under one judge.

    A named tuple rather than a dataclass, because a report may have a hundred thousand.

    Attributes:
        scenario: the scenario's name, "pack/id".
        category: the scenario's category.
        condition: the condition's name.
        sample: index from 0.
        generated: whether the trial has an answer.
        truncated: whether the answer reached the token limit; None if an imported run does not
            record why the answer ended.
        label: the judge's label; None if there is none.
        failed: whether the judge failed. No label and not failed means not judged yet.
        digest: equal for answers with equal text; None without an answer.
        drawn: for a person's label from a queue in random order, the judge whose labels were the
            strata, "" for none; None for every other label.
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


_state = attrgetter("generated", "truncated", "failed", "label")


@dataclass(frozen=True, slots=True)
class TrialCounts:
    """Counts of planned trials by state; raises ValueError if they are inconsistent.

    Attributes:
        planned: all trials.
        generated: trials with an answer.
        truncated: answers that reached the token limit; None if unknown for any answer.
        judged: answers with a label; the sum of the four label counts.
        failed: answers at which the judge failed.
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
        answered = max(self.judged + self.failed, self.truncated or 0)
        if not self.planned >= self.generated >= answered:
            raise ValueError(
                "more trials are judged, failed or truncated than generated, or more are generated "
                "than planned"
            )

    @property
    def pending(self) -> int:
        """Planned trials without an answer: planned - generated."""
        return self.planned - self.generated

    @property
    def unjudged(self) -> int:
        """Answers without a label at which the judge did not fail."""
        return self.generated - self.judged - self.failed


def count_trials(outcomes: Iterable[Outcome]) -> TrialCounts:
    """Return the trials' counts by state.

    Raises ValueError if an outcome is inconsistent: judged or truncated without an answer, or
    both labelled and failed.
    """
    counts: Counter[str] = Counter()
    # Counter counts in C: a report may have a hundred thousand outcomes.
    states = Counter(map(_state, outcomes))
    for (generated, truncated, failed, label), number in states.items():
        counts["planned"] += number
        counts["generated"] += number * generated
        counts["truncated"] += number * bool(truncated)
        counts["failed"] += number * failed
        if label is not None:
            counts["judged"] += number
            counts[label.value] += number
    total = TrialCounts(**{field.name: counts[field.name] for field in fields(TrialCounts)})
    is_known = all(truncated is not None for _, truncated, _, _ in states)
    return total if is_known else replace(total, truncated=None)


def outcomes_by_condition(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each condition, conditions in planned order."""
    return _grouped(outcomes, attrgetter("condition"))


def outcomes_by_category(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    """Return the outcomes of each category, categories in planned order."""
    return _grouped(outcomes, attrgetter("category"))


def _grouped(
    outcomes: Iterable[Outcome], key: Callable[[Outcome], str]
) -> dict[str, list[Outcome]]:
    """Return the outcomes by key, keys in order of first occurrence."""
    items = list(outcomes)
    order = dict.fromkeys(map(key, items))
    groups = {name: list(group) for name, group in groupby(sorted(items, key=key), key)}
    return {name: groups[name] for name in order}
