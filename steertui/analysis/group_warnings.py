"""Warnings on dose axes and contests: few pairs, dependence on the condition, unscored answers."""

from collections.abc import Iterator, Sequence

from steertui.analysis.groups import Groups, group_pairs
from steertui.analysis.trial_warning import TrialWarning, WarningKind
from steertui.analysis.warnings import (
    MIN_PAIRED,
    Outcomes,
    dependence_warnings,
    planned_and_paired,
)
from steertui.core.declared_analysis import Pair
from steertui.core.outcome import Outcome, outcomes_by_condition
from steertui.stats.rate import Policy
from steertui.units import quantity


def group_warnings(
    groups: Groups, outcomes: Sequence[Outcome], policy: Policy
) -> Iterator[TrialWarning]:
    """Yield the warnings on each axis and contest, over the pairs of conditions that it tests."""
    answers = outcomes_by_condition(outcomes)
    for name, families in group_pairs(groups).items():
        pairs = [*dict.fromkeys(pair for family in families for pair in family.values())]
        yield from _few_pairs(name, pairs, answers, policy)
        yield from dependence_warnings({n: answers[n] for pair in pairs for n in pair}, pairs)


def unscored_warnings(groups: Groups) -> Iterator[TrialWarning]:
    """Yield a warning on each axis whose answers are only in part scored by the unsteered model."""
    for axis in groups.axes:
        if axis.unscored:
            scored = axis.answers - axis.unscored
            share = f"{scored} of {axis.answers} ({100 * scored / axis.answers:.0f} %)"
            text = (
                f"{axis.name}: only {share} answers are scored by the unsteered model; the others "
                "may differ, so the log-likelihoods of the doses are not comparable; a run scores "
                "them"
            )
            doses = [point.condition for point in axis.curve.points]
            names = (*doses, *(match.condition for match in axis.matches))
            yield TrialWarning(WarningKind.UNSCORED, text, names)


def _few_pairs(
    name: str, pairs: Sequence[Pair], answers: Outcomes, policy: Policy
) -> Iterator[TrialWarning]:
    """Yield one warning on a group whose tests cover a part of the plan."""
    few = []
    for pair in pairs:
        planned, paired = planned_and_paired(answers, policy, pair)
        if paired < MIN_PAIRED * planned:
            few.append((paired, planned, pair))
    if few:
        paired, planned, (one, two) = min(few)
        text = (
            f"{name}: in {len(few)} of {quantity(len(pairs), 'tested pair')} of conditions fewer "
            f"than {100 * MIN_PAIRED:.0f} % of the scenarios are valid under both, fewest under "
            f"{one} and {two} ({paired} of {planned})"
        )
        yield TrialWarning(WarningKind.FEW_PAIRS, text, tuple({n: None for p in pairs for n in p}))
