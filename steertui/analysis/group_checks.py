"""Sensitivity of the tested gaps of dose axes and contests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.contest_results import Cell, ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.sensitivity_words import sensitivity_text
from steertui.core.condition import Condition
from steertui.core.declared_analysis import Pair
from steertui.core.grouping import NONE
from steertui.core.outcome import Outcome
from steertui.stats.rate import Policy
from steertui.stats.sensitivity import (
    LabelCounts,
    Sensitivity,
    corrected,
    gap_sensitivity,
    label_counts,
)

Pairs = Mapping[str, Pair]
"""Pairs of conditions by what their gap is, such as "the effect of pro under anti"."""


@dataclass(frozen=True, slots=True)
class GapCheck:
    """A tested gap under other choices.

    Attributes:
        title: what the gap is.
        tests: number of tests over which Holm corrects.
        sensitivity: the gap under other choices, with p values after Holm.
    """

    title: str
    tests: int
    sensitivity: Sensitivity

    @property
    def sentence(self) -> str:
        """All estimates, without a full stop; "" if one is unknown."""
        return sensitivity_text(self.title, self.sensitivity, is_corrected=self.tests > 1)


def axis_pairs(axis: AxisResult) -> list[Pairs]:
    """Return the families of tested gaps of an axis: doses, and conditions outside all groups."""
    points = axis.curve.points
    anchor = next(point.condition for point in points if point.dose == 0)
    doses = {
        f"the effect of {axis.name} at {point.dose:g}": (point.condition, anchor)
        for point in points
        if point.dose
    }
    others = {
        f"the effect of {match.condition} above {anchor}": (match.condition, anchor)
        for match in axis.matches
    }
    return [doses, others]


def contest_pairs(result: ContestResult, conditions: Mapping[str, Condition]) -> list[Pairs]:
    """Return the families of tested gaps of a contest: attacks, defences, residuals by defence."""
    names = _names(result, conditions)
    plain = names[NONE, NONE]
    attacks = [*result.estimates.unauthorised]
    defences = [defence.name for defence in result.estimates.defences]
    alone = {f"the effect of {a} without a defence": (names[NONE, a], plain) for a in attacks}
    own = {f"the effect of {d} alone": (plain, names[d, NONE]) for d in defences}
    residuals = [
        {f"the effect of {a} under {d}": (names[d, a], names[d, NONE]) for a in attacks}
        for d in defences
    ]
    return [alone, own, *residuals]


def _names(result: ContestResult, conditions: Mapping[str, Condition]) -> dict[Cell, str]:
    contest = result.sides.contest
    return {
        (condition.cell.defence, condition.cell.attack): name
        for name, condition in conditions.items()
        if condition.cell and condition.cell.contest == contest
    }


def gap_checks(
    families: Sequence[Pairs], outcomes: Mapping[str, Sequence[Outcome]], policy: Policy
) -> tuple[GapCheck, ...]:
    """Return the sensitivity of every gap of these families.

    Args:
        families: of gaps that are tested together.
        outcomes: by condition, under one judge.
        policy: denominator of the convergence rates.
    """
    used = {name for family in families for pair in family.values() for name in pair}
    labels = {name: label_counts(outcomes[name], policy) for name in used}
    return tuple(check for family in families for check in _family(family, labels))


def _family(family: Pairs, labels: Mapping[str, LabelCounts]) -> Iterator[GapCheck]:
    checks = [gap_sensitivity(labels[one], labels[two], one, two) for one, two in family.values()]
    for title, check in zip(family, corrected(checks, len(checks)), strict=True):
        yield GapCheck(title, len(checks), check)


def check_sentences(checks: Sequence[GapCheck]) -> Iterator[str]:
    """Yield the sentence of each gap that another choice changes, without full stops."""
    for check in checks:
        found = check.sensitivity
        is_changed = found.shared.points != found.marginal.points or any(
            gap.points != found.marginal.points for gap in found.policies.values()
        )
        if is_changed and check.sentence:
            yield check.sentence
