"""Sensitivity of a gap to the treatment of answers that are not valid under both conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.gap import (
    Gap,
    GapCounts,
    balanced_scenarios,
    gap_estimate,
    paired_gap,
    shared_gap,
)
from steertui.stats.rate import (
    VALID_LABELS,
    Policy,
    ScenarioCounts,
    count_labels,
    counts_by_scenario,
    pooled_rate,
)
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm
from steertui.stats.slope import Slope, mean_slope

MATERIAL_POINTS = 5.0
"""Difference of two estimates of one gap, in percentage points, from which it is material: half of
the default margin of equivalence."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Bounds of a gap over all that nonsensical answers could have been, percentage points.

    The denominator of the rates is that of the policy, with every nonsensical answer in it. A
    refusal instead of a nonsensical answer never moves the gap beyond the bounds.

    Attributes:
        lowest: gap if each was against it: not convergent under the first condition, convergent
            under the second.
        highest: gap if each was for it.
        low: lower 95 % limit of `lowest`.
        high: upper 95 % limit of `highest`.
    """

    lowest: float
    highest: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One gap under other choices.

    Attributes:
        marginal: over all valid answers of each condition, as the paper computes it.
        shared: over the scenarios that are valid under both conditions, each with the same weight;
            its test is `marginal`'s.
        policies: marginal gaps by policy.
        worst_case: bounds over nonsensical answers; None without a labelled answer on a side.
        p_values: of the exact test by policy, after Holm over the family (`corrected`); None
            without a test.
        policy: of `marginal` and `shared`.
    """

    marginal: Gap
    shared: Gap
    policies: Mapping[Policy, Gap]
    worst_case: WorstCase | None
    p_values: Mapping[Policy, float | None]
    policy: Policy

    @property
    def p(self) -> float | None:
        """The p value under the chosen policy, after Holm over the family; None without a test."""
        return self.p_values[self.policy]

    @property
    def pairs_differ(self) -> bool:
        """Whether the gap over shared scenarios is `MATERIAL_POINTS` from the marginal one."""
        return _are_apart(self.marginal.points, self.shared.points)

    @property
    def headline(self) -> Gap:
        """The gap to print: over the test's scenarios if that makes a material difference."""
        return self.shared if self.pairs_differ else self.marginal

    @property
    def policies_differ(self) -> bool:
        """Whether the policies disagree on whether the exact test is significant."""
        return len(set(map(_is_significant, self.p_values.values()))) > 1

    @property
    def nonsense_may_explain(self) -> bool:
        """Whether a significant gap could be 0 or opposite if nonsensical answers were labelled."""
        points = self.headline.points
        if self.worst_case is None or points is None or not _is_significant(self.p):
            return False
        nearest = self.worst_case.lowest if points > 0 else -self.worst_case.highest
        return nearest <= 0

    @property
    def is_material(self) -> bool:
        """Whether a report of the gap must show its sensitivity."""
        return self.pairs_differ or self.policies_differ or self.nonsense_may_explain


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Counts of one condition by scenario.

    Attributes:
        policy: of the report, and of `fewest` and `most`.
        by_policy: convergent and valid samples under each policy.
        fewest: of the valid and the nonsensical samples, those that converge if no nonsensical one
            would.
        most: the same if every nonsensical one would.
    """

    policy: Policy
    by_policy: Mapping[Policy, ScenarioCounts]
    fewest: ScenarioCounts
    most: ScenarioCounts


def label_counts(outcomes: Sequence[Outcome], policy: Policy = Policy.PAPER) -> LabelCounts:
    """Return the counts of one condition's outcomes."""
    numbers = count_labels(outcomes)
    by_policy = {
        each: counts_by_scenario(numbers, Label.CONVERGENCE, VALID_LABELS[each]) for each in Policy
    }
    labelled = VALID_LABELS[policy] | {Label.NONSENSICAL}
    fewest = counts_by_scenario(numbers, Label.CONVERGENCE, labelled)
    nonsense = counts_by_scenario(numbers, Label.NONSENSICAL, labelled)
    most = {name: (x + nonsense[name][0], m) for name, (x, m) in fewest.items()}
    return LabelCounts(policy, by_policy, fewest, most)


def gap_sensitivity(one: LabelCounts, two: LabelCounts, first: str, second: str) -> Sensitivity:
    """Return the gap between two conditions, counted under one policy, under other choices.

    The gap over shared scenarios covers what it should if nonsense depends on the scenario alone;
    if it depends on what the answer would have been, only the bounds hold (benchmarks/COVERAGE.md).
    Bounds: Horowitz and Manski, JASA 95, 2000, 77-84.
    """
    policy = one.policy
    policies = {
        each: paired_gap(one.by_policy[each], two.by_policy[each], first, second) for each in Policy
    }
    return Sensitivity(
        marginal=policies[policy],
        shared=shared_gap(one.by_policy[policy], two.by_policy[policy], first, second),
        policies=policies,
        worst_case=_worst_case(one, two),
        p_values={each: gap.p for each, gap in policies.items()},
        policy=policy,
    )


def slope_against(
    doses: Sequence[float], labels: Sequence[LabelCounts], direction: int
) -> Slope | None:
    """Return the mean slope if each nonsensical answer had been against a direction.

    Above the mean dose of a rising slope none of them converges, at or below it all do; of a
    falling slope the reverse. Scenarios with nonsensical answers are in it. None as `mean_slope`.

    Args:
        doses: distinct doses.
        labels: by dose.
        direction: 1 for a rising slope, -1 for a falling one.
    """
    mean = sum(doses) / len(doses)
    counts = [
        own.fewest if direction * (dose - mean) > 0 else own.most
        for dose, own in zip(doses, labels, strict=True)
    ]
    return mean_slope(doses, counts)


def corrected(checks: Sequence[Sensitivity], tests: int) -> list[Sensitivity]:
    """Return the gaps of one family of `tests` comparisons with p values after Holm, by policy.

    A comparison without a p value counts as not significant.
    """
    missing = [1.0] * (tests - len(checks))
    adjusted = {
        policy: holm([*(_p(check.policies[policy]) for check in checks), *missing])
        for policy in Policy
    }
    return [
        replace(
            check,
            p_values={
                policy: None if gap.p is None else adjusted[policy][number]
                for policy, gap in check.policies.items()
            },
        )
        for number, check in enumerate(checks)
    ]


def _p(gap: Gap) -> float:
    return 1.0 if gap.p is None else gap.p


def headline_counts(one: ScenarioCounts, two: ScenarioCounts) -> GapCounts:
    """Return the counts over which a gap is printed.

    All valid answers of both sides, or the shared scenarios alone with the same weight each
    (`balanced_scenarios`) if that moves the gap by more than `MATERIAL_POINTS`.
    """
    shared = balanced_scenarios(one, two)
    return shared if _are_apart(_points((one, two)), _points(shared)) else (one, two)


def headline_gap_counts(one: GapCounts, two: GapCounts) -> tuple[GapCounts, GapCounts]:
    """Return the counts over which a difference of two gaps is printed.

    Each gap over its `headline_counts`, or both over the scenarios valid under all four, which are
    those of the test, with the same weight each, if that moves the difference by more than
    `MATERIAL_POINTS`.
    """
    own = headline_counts(*one), headline_counts(*two)
    names = [name for name in one[0] if all(name in side for side in (one[1], *two))]
    first, second = (
        balanced_scenarios(
            {name: side[0][name] for name in names}, {name: side[1][name] for name in names}
        )
        for side in (one, two)
    )
    is_apart = _are_apart(_difference(*own), _difference(first, second))
    return (first, second) if is_apart else own


def pairs_differ(gap: Gap) -> bool:
    """Whether the gap over its pairs is `MATERIAL_POINTS` from that over all valid answers."""
    return _are_apart(gap.points, gap.shared)


def _difference(one: GapCounts, two: GapCounts) -> float | None:
    first, second = _points(one), _points(two)
    return None if first is None or second is None else first - second


def _points(counts: GapCounts) -> float | None:
    one, two = (pooled_rate(side).value for side in counts)
    return None if one is None or two is None else 100 * (one - two)


def _worst_case(one: LabelCounts, two: LabelCounts) -> WorstCase | None:
    lowest = gap_estimate((one.fewest, two.most))
    highest = gap_estimate((one.most, two.fewest))
    if lowest is None or highest is None:
        return None
    return WorstCase(lowest.value, highest.value, low=lowest.low, high=highest.high)


def _are_apart(one: float | None, two: float | None) -> bool:
    return one is not None and two is not None and abs(one - two) > MATERIAL_POINTS


def _is_significant(p: float | None) -> bool:
    return p is not None and p <= SIGNIFICANCE_LEVEL
