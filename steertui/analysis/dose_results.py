"""Results of a dose axis under one judge: curve, slope, matched strength, lines left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.coherence_costs import CostMatch, cost_matches
from steertui.core.condition import Condition
from steertui.core.grouping import DoseStep, DoseUnit
from steertui.core.outcome import Outcome
from steertui.stats.coherence import AnswerMeasures
from steertui.stats.dose import DoseCurve, convergence, dose_curve
from steertui.stats.families import (
    Family,
    FamilyTest,
    Role,
    family_tests,
    gap_contrast,
    tests_by_name,
)
from steertui.stats.gap import Gap
from steertui.stats.matched_dose import MatchedDose, matched_dose
from steertui.stats.rate import Policy, ScenarioCounts


@dataclass(frozen=True, slots=True)
class Match:
    """Another condition whose effect, and whose cost of coherence, the axis is to match.

    Attributes:
        condition: its name.
        effect: gap of the condition minus dose 0.
        test: with Holm over these conditions.
        matched: dose with the same rate; None if no effect is shown, so that there is nothing to
            match.
        cost: of coherence; None if log-likelihoods were not measured.
    """

    condition: str
    effect: Gap
    test: FamilyTest
    matched: MatchedDose | None
    cost: CostMatch | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A suffix without one of its lines.

    Attributes:
        line: its number, from 1.
        effect: gap of the whole suffix minus the suffix without the line.
        test: with Holm over the lines.
    """

    line: int
    effect: Gap
    test: FamilyTest


@dataclass(frozen=True, slots=True)
class AxisResult:
    """Results of one dose axis.

    Attributes:
        name: of the axis.
        unit: of the dose.
        curve: rates, effects and slope.
        matches: conditions outside all groups.
        left_out: lines left out in turn.
        scenarios: planned scenarios.
        answers: number of answers of its doses and of the conditions of `matches`.
        unscored: number of these that the unsteered model has not scored; 0 if it has scored none.
        headline: the result in a few words (`axis_headline`), or why nothing is concluded.
        sentences: what is shown (`axis_sentences`), or why nothing is concluded.
        details: sensitivity of its gaps, one sentence each.
    """

    name: str
    unit: DoseUnit
    curve: DoseCurve
    matches: tuple[Match, ...]
    left_out: tuple[LeftOut, ...]
    scenarios: int
    answers: int = 0
    unscored: int = 0
    headline: str = ""
    sentences: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AxisData:
    """Answers of one model setting under one judge.

    Attributes:
        conditions: by name, as stored.
        outcomes: by condition.
        policy: denominator of the convergence rates.
        measures: of coherence, by condition.
    """

    conditions: Mapping[str, Condition]
    outcomes: dict[str, list[Outcome]]
    policy: Policy
    measures: Mapping[str, AnswerMeasures]


def axis_results(data: AxisData) -> list[AxisResult]:
    """Return the results of every axis with dose 0 and another dose, without sentences."""
    conditions = data.conditions.items()
    steps = {name: c.step for name, c in conditions if c.step and name in data.outcomes}
    results = []
    for axis in dict.fromkeys(step.axis for step in steps.values()):
        own = {name: step for name, step in steps.items() if step.axis == axis}
        doses = sorted((s.dose, name) for name, s in own.items() if not s.without)
        values = [dose for dose, _ in doses]
        if len(values) > 1 and 0 in values and len(set(values)) == len(values):
            results.append(_axis(own, doses, data))
    return results


def _axis(
    steps: Mapping[str, DoseStep], doses: Sequence[tuple[float, str]], data: AxisData
) -> AxisResult:
    first = next(iter(steps.values()))
    curve = dose_curve(doses, data.outcomes, first.limits, data.policy, data.measures)
    counts = {name: convergence(own, data.policy) for name, own in data.outcomes.items()}
    is_ladder = first.unit is DoseUnit.LINES
    matches = () if is_ladder else _matches(doses, counts, data)
    answers, unscored = _scored([*(n for _, n in doses), *(m.condition for m in matches)], data)
    return AxisResult(
        name=first.axis,
        unit=first.unit,
        curve=curve,
        matches=matches,
        left_out=_left_out(steps, doses, counts),
        scenarios=len({o.scenario for _, name in doses for o in data.outcomes[name]}),
        answers=answers,
        unscored=unscored,
    )


def _scored(names: Iterable[str], data: AxisData) -> tuple[int, int]:
    """Return the numbers of answers, and of those that were not scored; 0 if none was scored."""
    own = [data.measures[name] for name in names if name in data.measures]
    answers, unscored = (sum(m.answers for m in own), sum(m.unscored for m in own))
    return answers, unscored if unscored < answers else 0


def _matches(
    doses: Sequence[tuple[float, str]], counts: Mapping[str, ScenarioCounts], data: AxisData
) -> tuple[Match, ...]:
    """Return the conditions that steer and are in no group, with the doses that match each."""
    known = ((name, data.conditions.get(name)) for name in counts)
    targets = [name for name, c in known if c and c.access and not c.groups]
    anchor = next(name for dose, name in doses if dose == 0)
    effects = {name: gap_contrast(counts[name], counts[anchor], name, anchor) for name in targets}
    tests = tests_by_name(effects, Family(Role.SECONDARY, len(effects), "conditions"))
    costs = cost_matches(doses, targets, data.measures)
    matches = []
    for name, effect in effects.items():
        matched = None
        if tests[name].is_significant:
            curve = [counts[condition] for _, condition in doses]
            matched = matched_dose([dose for dose, _ in doses], curve, counts[name])
        matches.append(Match(name, effect.gap, tests[name], matched, costs.get(name)))
    return tuple(matches)


def _left_out(
    steps: Mapping[str, DoseStep],
    doses: Sequence[tuple[float, str]],
    counts: Mapping[str, ScenarioCounts],
) -> tuple[LeftOut, ...]:
    whole = next((name for dose, name in doses if dose == _lines(steps)), None)
    names = {step.without: name for name, step in steps.items() if step.without}
    if whole is None:
        return ()
    effects = [gap_contrast(counts[whole], counts[name], whole, name) for name in names.values()]
    tests = family_tests(effects, Family(Role.SECONDARY, len(effects), "lines"))
    items = zip(names, effects, tests, strict=True)
    return tuple(LeftOut(line, effect.gap, test) for line, effect, test in items)


def _lines(steps: Mapping[str, DoseStep]) -> float:
    """Return the number of lines of the whole suffix."""
    return max((step.dose + 1 for step in steps.values() if step.without), default=-1)
