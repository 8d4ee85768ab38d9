"""Comparison of a reproduction with the original, item by item, with a verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.equivalence import is_equivalent
from steertui.stats.gap import Gap, paired_gap, shared_scenarios
from steertui.stats.rate import VALID_LABELS, Policy, scenario_counts
from steertui.store import ModelSetting, Store

LEVEL = 0.05
"""Familywise level of the tests for a difference, over the conditions of a table (Bonferroni)."""

Item = tuple[str, str, int]
"""Condition, scenario and sample."""


class ReproductionVerdict(StrEnum):
    """Conclusion on one model setting and judge."""

    IDENTICAL = "identical"
    """All answers and labels are equal."""
    EQUIVALENT = "equivalent"
    """The rates of all conditions are shown to be within the margin of the original ones."""
    DIFFERENT = "different"
    """A rate is shown to differ."""
    INCONCLUSIVE = "inconclusive"
    """Neither is shown."""
    UNJUDGED = "not judged"
    """Answers differ and no judge labelled both."""


@dataclass(frozen=True, slots=True)
class ReproducedCondition:
    """One condition, over the items that both have.

    Attributes:
        condition: name.
        items: number of items with an answer in both.
        missing: items of the reproduction's plan without an answer in one of them.
        identical: items whose answers are equal to the character.
        labelled: items with a label in both.
        same_label: items with equal labels.
        gap: convergence rate of the reproduction minus that of the original, over the same
            scenarios.
        is_equivalent: whether the difference is shown to be within the margin.
    """

    condition: str
    items: int
    missing: int
    identical: int
    labelled: int
    same_label: int
    gap: Gap
    is_equivalent: bool


@dataclass(frozen=True, slots=True)
class ReproducedTable:
    """One model setting under one judge.

    Attributes:
        setting: of the reproduction.
        judge: name, "" for none.
        margin: of equivalence, percentage points.
        conditions: in planned order.
    """

    setting: ModelSetting
    judge: str
    margin: float
    conditions: tuple[ReproducedCondition, ...]

    @property
    def verdict(self) -> ReproductionVerdict:
        """The conclusion."""
        rows = self.conditions
        if all(r.items == r.identical and r.same_label == r.labelled for r in rows):
            if all(row.items and not row.missing for row in rows):
                return ReproductionVerdict.IDENTICAL
            return ReproductionVerdict.INCONCLUSIVE
        if not any(row.labelled for row in rows):
            return ReproductionVerdict.UNJUDGED
        if all(row.is_equivalent for row in rows):
            return ReproductionVerdict.EQUIVALENT
        p_values = [row.gap.p for row in rows if row.gap.p is not None]
        if min(p_values, default=1.0) <= LEVEL / len(rows):
            return ReproductionVerdict.DIFFERENT
        return ReproductionVerdict.INCONCLUSIVE


def compare_reproduction(
    original: tuple[Store, str], reproduced: tuple[Store, str], margin: float
) -> list[ReproducedTable]:
    """Return the tables of a reproduction, one per model setting and judge.

    Both are a store and the id of an experiment; the reproduction's may have fewer scenarios.
    `margin` is in percentage points.
    """
    store, experiment = reproduced
    judges = {judge.id: judge.name for judge in store.judges(experiment)}
    tables = []
    for judge, name in (judges or {"": ""}).items():
        before = {_key(s): o for s, o in original[0].outcomes(original[1], judge).items()}
        for setting, outcomes in store.outcomes(experiment, judge).items():
            rows = tuple(_conditions(before.get(_key(setting), ()), outcomes, margin))
            tables.append(ReproducedTable(setting, name, margin, rows))
    return tables


def _key(setting: ModelSetting) -> tuple[str, float]:
    return setting.model, setting.temperature


def _conditions(
    original: Sequence[Outcome], reproduced: Sequence[Outcome], margin: float
) -> Iterator[ReproducedCondition]:
    before = {_item(outcome): outcome for outcome in original}
    by_condition = attrgetter("condition")
    order = {name: n for n, name in enumerate(dict.fromkeys(map(by_condition, reproduced)))}
    in_order = sorted(reproduced, key=lambda outcome: order[outcome.condition])
    for condition, outcomes in groupby(in_order, by_condition):
        yield _condition(condition, list(outcomes), before, margin)


def _item(outcome: Outcome) -> Item:
    return outcome.condition, outcome.scenario, outcome.sample


def _condition(
    condition: str, outcomes: Sequence[Outcome], before: Mapping[Item, Outcome], margin: float
) -> ReproducedCondition:
    pairs = [(before.get(_item(outcome)), outcome) for outcome in outcomes]
    both = [(old, new) for old, new in pairs if old and old.generated and new.generated]
    labelled = [(old, new) for old, new in both if old.label and new.label]
    valid = VALID_LABELS[Policy.PAPER]
    new_counts = scenario_counts((new for _, new in labelled), Label.CONVERGENCE, valid)
    old_counts = scenario_counts((old for old, _ in labelled), Label.CONVERGENCE, valid)
    shared = shared_scenarios(new_counts, old_counts)
    differences = [
        x / m - shared[1][name][0] / shared[1][name][1] for name, (x, m) in shared[0].items()
    ]
    return ReproducedCondition(
        condition=condition,
        items=len(both),
        missing=len(pairs) - len(both),
        identical=sum(old.digest == new.digest for old, new in both),
        labelled=len(labelled),
        same_label=sum(old.label is new.label for old, new in labelled),
        gap=paired_gap(*shared, "reproduction", "original"),
        is_equivalent=is_equivalent(differences, margin / 100, 1),
    )
