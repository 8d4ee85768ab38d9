"""Gaps between the conditions of one table: primary, declared family, exploratory pairs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.sentences import GapResult, Notes, gap_result, withheld
from steertui.analysis.warnings import is_low_coverage
from steertui.core.declared_analysis import Comparisons, Pair, all_pairs
from steertui.core.outcome import Outcome, count_trials, outcomes_by_condition
from steertui.core.verdict import Label
from steertui.stats.families import (
    PRIMARY,
    Contrast,
    EquivalenceTest,
    Family,
    Role,
    equivalence_tests,
    family_tests,
    headline_contrast,
)
from steertui.stats.rate import VALID_LABELS, Policy, ScenarioCounts, scenario_counts
from steertui.stats.sensitivity import (
    LabelCounts,
    Sensitivity,
    corrected,
    gap_sensitivity,
    label_counts,
)
from steertui.units import verb


@dataclass(frozen=True, slots=True)
class ConditionGaps:
    """Comparisons of a table's conditions.

    Attributes:
        primary: None with fewer than two conditions.
        secondary: Holm over the declared family.
        exploratory: pairs that are not declared; Holm over all pairs. Empty unless asked for.
    """

    primary: GapResult | None = None
    secondary: tuple[GapResult, ...] = ()
    exploratory: tuple[GapResult, ...] = ()

    def withheld(self) -> "ConditionGaps":
        """Return the gaps without conclusions, for labels that are not reliable."""
        return ConditionGaps(
            primary=withheld(self.primary) if self.primary else None,
            secondary=tuple(map(withheld, self.secondary)),
            exploratory=tuple(map(withheld, self.exploratory)),
        )


def condition_gaps(
    outcomes: Sequence[Outcome], policy: Policy, comparisons: Comparisons, *, is_exploring: bool
) -> ConditionGaps:
    """Return the declared comparisons; `is_exploring` adds the pairs that are not declared."""
    if comparisons.primary is None:
        return ConditionGaps()
    sides = _sides(outcomes, policy, comparisons.margin)
    family = Family(
        Role.SECONDARY, len(comparisons.secondary), "comparisons of the declared family"
    )
    conditions = [*sides.labels]
    pairs = all_pairs(conditions) if is_exploring else []
    everything = Family(Role.EXPLORATORY, len(pairs), "pairs of conditions")
    undeclared = {frozenset(pair) for pair in comparisons.exploratory(conditions)}
    return ConditionGaps(
        primary=sides.results([comparisons.primary], PRIMARY)[0],
        secondary=sides.results(comparisons.secondary, family),
        exploratory=tuple(
            result
            for result in sides.results(pairs, everything)
            if frozenset((result.gap.first, result.gap.second)) in undeclared
        ),
    )


def convergence_counts(outcomes: Iterable[Outcome], policy: Policy) -> dict[str, ScenarioCounts]:
    """Return by condition each scenario's convergent and valid samples."""
    return {
        name: scenario_counts(own, Label.CONVERGENCE, VALID_LABELS[policy])
        for name, own in outcomes_by_condition(outcomes).items()
    }


@dataclass(frozen=True, slots=True)
class _Sides:
    """Conditions that can be compared.

    Attributes:
        policy: denominator of the rates.
        labels: counts by condition.
        notes: on low coverage, by condition.
        planned: scenarios by condition.
        margin: of equivalence, percentage points.
    """

    policy: Policy
    labels: Mapping[str, LabelCounts]
    notes: Mapping[str, tuple[str, ...]]
    planned: Mapping[str, frozenset[str]]
    margin: float

    def results(self, pairs: Sequence[Pair], family: Family) -> tuple[GapResult, ...]:
        checks = corrected([self._sensitivity(*pair) for pair in pairs], family.tests)
        contrasts = [self._contrast(*pair) for pair in pairs]
        tests = family_tests(contrasts, family)
        same = equivalence_tests(contrasts, family, self.margin)
        return tuple(
            gap_result(contrast, test, self._planned(*pair), self._notes(check, equivalence))
            for pair, contrast, test, check, equivalence in zip(
                pairs, contrasts, tests, checks, same, strict=True
            )
        )

    def _planned(self, first: str, second: str) -> int:
        """Return the number of scenarios planned under both conditions."""
        return len(self.planned[first] & self.planned[second])

    def _sensitivity(self, first: str, second: str) -> Sensitivity:
        return gap_sensitivity(self.labels[first], self.labels[second], first, second)

    def _contrast(self, first: str, second: str) -> Contrast:
        one, two = (self.labels[name].by_policy[self.policy] for name in (first, second))
        return headline_contrast(one, two, first, second)

    def _notes(self, check: Sensitivity, equivalence: EquivalenceTest | None) -> Notes:
        gap = check.marginal
        return Notes((*self.notes[gap.first], *self.notes[gap.second]), check, equivalence)


def _sides(outcomes: Sequence[Outcome], policy: Policy, margin: float) -> _Sides:
    groups = outcomes_by_condition(outcomes)
    return _Sides(
        policy=policy,
        labels={name: label_counts(own, policy) for name, own in groups.items()},
        notes={name: _coverage_note(name, own) for name, own in groups.items()},
        planned={name: frozenset(o.scenario for o in own) for name, own in groups.items()},
        margin=margin,
    )


def _coverage_note(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    counts = count_trials(outcomes)
    if not is_low_coverage(counts):
        return ()
    judged = f"{counts.judged} of {counts.planned} {verb(counts.judged, 'is', 'are')} judged"
    return (f"under {name} {judged}",)
