"""Dose axes and contests of a table: results, or why nothing is concluded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from steertui.analysis.contest_results import CellMark, ContestResult, contest_results
from steertui.analysis.dose_results import AxisData, AxisResult, axis_results
from steertui.analysis.dose_sentences import axis_headline, axis_sentences
from steertui.analysis.group_checks import (
    GapCheck,
    Pairs,
    axis_pairs,
    check_sentences,
    contest_pairs,
    gap_checks,
)
from steertui.analysis.group_doubts import axis_doubts, contest_doubts
from steertui.analysis.over_refusal import OverRefusal, over_refusals
from steertui.core.condition import Condition
from steertui.core.outcome import Outcome, outcomes_by_condition
from steertui.stats.coherence import AnswerMeasures
from steertui.stats.contest import Verdict
from steertui.stats.rate import Policy


@dataclass(frozen=True, slots=True)
class Groups:
    """Results of the groups of conditions of one table.

    Attributes:
        axes: dose axes with dose 0 and another one.
        contests: contests whose cells are all planned.
        refusals: under the defences of other contests, of which only some cells are planned.
        conditions: conditions that are in a group, by name.
        checks: sensitivity of the tested gaps, by the name of an axis or a contest.
    """

    axes: tuple[AxisResult, ...] = ()
    contests: tuple[ContestResult, ...] = ()
    refusals: tuple[OverRefusal, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict, repr=False)
    checks: Mapping[str, tuple[GapCheck, ...]] = field(default_factory=dict, repr=False)

    @property
    def covered(self) -> frozenset[str]:
        """Names of the conditions of these axes and contests."""
        known = {axis.name for axis in self.axes} | {c.sides.contest for c in self.contests}
        return frozenset(n for n, c in self.conditions.items() if known.intersection(c.groups))


def group_results(
    conditions: Iterable[Condition],
    outcomes: Sequence[Outcome],
    policy: Policy,
    *,
    is_reliable: bool,
    measures: Mapping[str, AnswerMeasures],
) -> Groups:
    """Return the results of the groups among the conditions of an experiment.

    Args:
        conditions: as stored.
        outcomes: of one model setting under one judge. Without any label the axes have coherence
            alone, and there are no contests.
        policy: denominator of the convergence rates.
        is_reliable: whether the labels may be interpreted; if not, nothing is concluded.
        measures: of the answers, by condition (`measures_by_condition`).
    """
    known = {condition.name: condition for condition in conditions}
    grouped = {name: condition for name, condition in known.items() if condition.groups}
    if not grouped:
        return Groups()
    answers = outcomes_by_condition(outcomes)
    axes = [
        replace(axis, headline=axis_headline(axis), sentences=axis_sentences(axis))
        for axis in axis_results(AxisData(known, answers, policy, measures))
    ]
    if not any(outcome.label for outcome in outcomes):
        return Groups(axes=tuple(axes), conditions=grouped)
    contests = contest_results(known, answers, policy)
    whole = {result.sides.contest for result in contests}
    partial = over_refusals(known, answers).items() if is_reliable else ()
    found = Groups(
        axes=tuple(axes),
        contests=tuple(contests),
        refusals=tuple(result for name, result in partial if name not in whole),
        conditions=grouped,
    )
    return _checked(found, answers, policy) if is_reliable else _withheld(found)


def _checked(groups: Groups, answers: dict[str, list[Outcome]], policy: Policy) -> Groups:
    """Return the groups with the sensitivity of their gaps, and what it says of conclusions."""
    families = group_pairs(groups)
    checks = {name: gap_checks(own, answers, policy) for name, own in families.items()}
    return replace(
        groups,
        axes=tuple(_axis_checked(axis, checks[axis.name], answers, policy) for axis in groups.axes),
        contests=tuple(_contests_checked(groups, checks, answers, policy)),
        checks=checks,
    )


def group_pairs(groups: Groups) -> dict[str, list[Pairs]]:
    """Return the families of tested gaps by the name of their axis or contest."""
    axes = {axis.name: axis_pairs(axis) for axis in groups.axes}
    return axes | {
        result.sides.contest: contest_pairs(result, groups.conditions) for result in groups.contests
    }


def _axis_checked(
    axis: AxisResult,
    checks: Sequence[GapCheck],
    answers: Mapping[str, Sequence[Outcome]],
    policy: Policy,
) -> AxisResult:
    doubts = axis_doubts(axis, checks, answers, policy)
    return replace(
        axis, sentences=(*axis.sentences, *doubts), details=tuple(check_sentences(checks))
    )


def _contests_checked(
    groups: Groups,
    checks: Mapping[str, Sequence[GapCheck]],
    answers: dict[str, list[Outcome]],
    policy: Policy,
) -> Iterator[ContestResult]:
    others = {
        other: contest_results(groups.conditions, answers, other) if groups.contests else []
        for other in Policy
        if other is not policy
    }
    for number, result in enumerate(groups.contests):
        own = checks[result.sides.contest]
        doubts = contest_doubts(result, own, {p: found[number] for p, found in others.items()})
        yield replace(
            result,
            verdicts=(*result.verdicts, *doubts),
            evidence=(*result.evidence, *check_sentences(own)),
        )


def _withheld(groups: Groups) -> Groups:
    """Return the groups without conclusions, since the labels allow no conclusion."""
    return replace(
        groups,
        axes=tuple(map(_axis_withheld, groups.axes)),
        contests=tuple(map(_contest_withheld, groups.contests)),
    )


def _axis_withheld(axis: AxisResult) -> AxisResult:
    words = _withheld_words(f"axis {axis.name}")
    return replace(axis, headline=words, sentences=(words,))


def _contest_withheld(result: ContestResult) -> ContestResult:
    marks = dict.fromkeys(result.marks, CellMark.WITHHELD)
    words = _withheld_words(f"contest {result.sides.contest}")
    defences = (replace(d, verdict=Verdict.WITHHELD) for d in result.estimates.defences)
    estimates = replace(result.estimates, defences=tuple(defences))
    return replace(result, marks=marks, estimates=estimates, verdicts=(words,), evidence=())


def _withheld_words(what: str) -> str:
    return f"nothing is concluded on {what} from these labels"
