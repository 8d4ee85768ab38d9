"""Sensitivity of a gap to the treatment of answers that are not valid under both conditions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.gap import Gap, condition_gap, gap_estimate, paired_gap, shared_scenarios
from steertui.stats.rate import VALID_LABELS, Policy, ScenarioCounts, scenario_counts
from steertui.stats.significance import SIGNIFICANCE_LEVEL

MATERIAL_POINTS = 5.0
"""Difference of two estimates of one gap, in percentage points, from which it is material: half of
the default margin of equivalence."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """Bounds of a gap over all that nonsensical answers could have been, percentage points.

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
        shared: over the scenarios that are valid under both conditions; its test is `marginal`'s.
        policies: marginal gaps by policy.
        worst_case: bounds over nonsensical answers; None without a labelled answer on a side.
    """

    marginal: Gap
    shared: Gap
    policies: Mapping[Policy, Gap]
    worst_case: WorstCase | None

    @property
    def pairs_differ(self) -> bool:
        """Whether the gap over shared scenarios is `MATERIAL_POINTS` from the marginal one."""
        return _differ(self.marginal, self.shared)

    @property
    def headline(self) -> Gap:
        """The gap to print: over the test's scenarios if that makes a material difference."""
        return self.shared if self.pairs_differ else self.marginal

    @property
    def policies_differ(self) -> bool:
        """Whether a policy changes the gap materially, or whether its test is significant."""
        significant = {_is_significant(gap) for gap in self.policies.values()}
        moved = any(_differ(self.marginal, gap) for gap in self.policies.values())
        return moved or len(significant) > 1

    @property
    def nonsense_may_explain(self) -> bool:
        """Whether a significant gap could be 0 or opposite if nonsensical answers were labelled."""
        points = self.headline.points
        if self.worst_case is None or points is None or not _is_significant(self.headline):
            return False
        nearest = self.worst_case.lowest if points > 0 else -self.worst_case.highest
        return nearest <= 0

    @property
    def is_material(self) -> bool:
        """Whether a report of the gap must show its sensitivity."""
        return self.pairs_differ or self.policies_differ or self.nonsense_may_explain


def gap_sensitivity(
    outcomes: Sequence[Outcome], first: str, second: str, policy: Policy = Policy.PAPER
) -> Sensitivity:
    """Return the gap between two conditions under other choices.

    The gap over shared scenarios covers what it should if nonsense depends on the scenario alone;
    if it depends on what the answer would have been, only the bounds hold (benchmarks/COVERAGE.md).
    Bounds: Horowitz and Manski, JASA 95, 2000, 77-84.
    """
    own = [outcome for outcome in outcomes if outcome.condition in (first, second)]
    one, two = (_counts(own, name, policy) for name in (first, second))
    policies = {each: condition_gap(own, first, second, each) for each in Policy}
    return Sensitivity(
        marginal=paired_gap(one, two, first, second),
        shared=paired_gap(*shared_scenarios(one, two), first, second),
        policies=policies,
        worst_case=_worst_case(own, first, second),
    )


def _counts(outcomes: Sequence[Outcome], name: str, policy: Policy) -> ScenarioCounts:
    own = (outcome for outcome in outcomes if outcome.condition == name)
    return scenario_counts(own, Label.CONVERGENCE, VALID_LABELS[policy])


def _worst_case(outcomes: Sequence[Outcome], first: str, second: str) -> WorstCase | None:
    sides = [_with_and_without_nonsense(outcomes, name) for name in (first, second)]
    (fewest_first, most_first), (fewest_second, most_second) = sides
    lowest = gap_estimate((fewest_first, most_second))
    highest = gap_estimate((most_first, fewest_second))
    if lowest is None or highest is None:
        return None
    return WorstCase(lowest.value, highest.value, low=lowest.low, high=highest.high)


def _with_and_without_nonsense(
    outcomes: Sequence[Outcome], name: str
) -> Iterator[dict[str, tuple[int, int]]]:
    """Yield the counts with no nonsensical answer converging, then with all of them."""
    converged = _counts(outcomes, name, Policy.ALL)
    own = (outcome for outcome in outcomes if outcome.condition == name)
    nonsense = scenario_counts(own, Label.NONSENSICAL, VALID_LABELS[Policy.ALL])
    yield dict(converged)
    yield {key: (x + nonsense[key][0], m) for key, (x, m) in converged.items()}


def _differ(one: Gap, two: Gap) -> bool:
    if one.points is None or two.points is None:
        return one.points != two.points
    return abs(one.points - two.points) > MATERIAL_POINTS


def _is_significant(gap: Gap) -> bool:
    return gap.p is not None and gap.p <= SIGNIFICANCE_LEVEL
