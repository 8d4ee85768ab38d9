"""Conclusions on dose axes and contests that other choices change."""

from collections.abc import Iterator, Mapping, Sequence

from steertui.analysis.contest_results import CellMark, ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.group_checks import GapCheck
from steertui.analysis.sensitivity_words import conclusion_reasons
from steertui.analysis.sentences import p_text
from steertui.core.grouping import NONE
from steertui.core.outcome import Outcome
from steertui.stats.contest import Verdict
from steertui.stats.rate import Policy
from steertui.stats.sensitivity import label_counts, slope_against
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.stats.slope import Slope, mean_slope

Others = Mapping[Policy, ContestResult]
"""A contest by policy, without the policy of the report."""

VERDICT_WORDS = {
    Verdict.DECOUPLED: "{} is decoupled",
    Verdict.NOT_DECOUPLED: "{} is not decoupled",
    Verdict.NO_ATTACK: "{} has no verdict",
    Verdict.OPEN: "whether {} is decoupled is open",
}
"""Verdicts on a defence under another policy."""


def axis_doubts(
    axis: AxisResult,
    checks: Sequence[GapCheck],
    outcomes: Mapping[str, Sequence[Outcome]],
    policy: Policy,
) -> Iterator[str]:
    """Yield one sentence on conclusions that other choices change, if there are any.

    Args:
        axis: with its slope under the policy.
        checks: of its gaps.
        outcomes: by condition, under one judge.
        policy: of the report.
    """
    reasons = [*_slope_reasons(axis, outcomes, policy), *_gap_reasons(checks)]
    yield from _sentence(f"axis {axis.name}", reasons)


def contest_doubts(
    result: ContestResult, checks: Sequence[GapCheck], others: Others
) -> Iterator[str]:
    """Yield one sentence on conclusions that other choices change, if there are any."""
    reasons = [
        *_verdict_reasons(result, others),
        *_gap_reasons(checks),
        *_margin_reasons(result, others),
        *_worst_reasons(result, others),
    ]
    yield from _sentence(f"contest {result.sides.contest}", reasons)


def _sentence(group: str, reasons: Sequence[str]) -> Iterator[str]:
    if reasons:
        yield (
            f"Among the conclusions on {group} that depend on other choices: {'; '.join(reasons)}"
        )


def _gap_reasons(checks: Sequence[GapCheck]) -> Iterator[str]:
    for check in checks:
        yield from conclusion_reasons(check.title, check.sensitivity)


def _slope_reasons(
    axis: AxisResult, outcomes: Mapping[str, Sequence[Outcome]], policy: Policy
) -> Iterator[str]:
    """Yield why the conclusion from the slope depends on the policy, or on nonsensical answers."""
    doses = [point.dose for point in axis.curve.points]
    labels = [label_counts(outcomes[point.condition], policy) for point in axis.curve.points]
    slopes = [mean_slope(doses, [each.by_policy[other] for each in labels]) for other in Policy]
    if len({_direction(slope) for slope in slopes}) > 1:
        yield f"whether a mean slope over {axis.name} is shown depends on the policy"
    slope = axis.curve.slope
    if slope is None or not _direction(slope):
        return
    worst = slope_against(doses, labels, _direction(slope))
    if worst is not None and _direction(worst) != _direction(slope):
        yield (
            f"the labels of nonsensical answers may explain the mean slope over {axis.name} (with "
            f"all of them against it, {p_text(worst.p)} instead of "
            f"{p_text(slope.p).removeprefix('p ').lstrip('= ')})"
        )


def _direction(slope: Slope | None) -> int:
    """Return the sign of a slope that is shown, 0 if none is."""
    if slope is None or slope.p > SIGNIFICANCE_LEVEL:
        return 0
    return 1 if slope.points > 0 else -1


def _verdict_reasons(result: ContestResult, others: Others) -> Iterator[str]:
    for number, defence in enumerate(result.estimates.defences):
        for policy, other in others.items():
            verdict = other.estimates.defences[number].verdict
            if verdict is not defence.verdict:
                words = VERDICT_WORDS[verdict].format(defence.name)
                yield f"under policy {policy} {words}"


def _margin_reasons(result: ContestResult, others: Others) -> Iterator[str]:
    for place, mark in result.marks.items():
        marks = {mark, *(other.marks[place] for other in others.values())}
        if CellMark.RESISTED in marks and len(marks) > 1:
            defence, attack = place
            where = "without a defence" if defence == NONE else f"under {defence}"
            what = f"whether {attack} is shown to add less than the margin {where}"
            yield f"{what} depends on the policy"


def _worst_reasons(result: ContestResult, others: Others) -> Iterator[str]:
    for number, defence in enumerate(result.estimates.defences):
        found = {other.estimates.defences[number].worst for other in others.values()}
        if found | {defence.worst} != {defence.worst}:
            yield f"the worst attack against {defence.name} depends on the policy"
