"""Results of a dose axis under one judge: curve, slope, matched strength, lines left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.grouping import DoseStep, DoseUnit
from steertui.core.outcome import Outcome
from steertui.stats.coherence import AnswerMeasures
from steertui.stats.dose import DoseCurve, convergence, dose_curve
from steertui.stats.gap import Gap, paired_gap
from steertui.stats.matched_dose import MatchedDose, matched_dose
from steertui.stats.rate import Policy, ScenarioCounts
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm


@dataclass(frozen=True, slots=True)
class Match:
    """Another condition whose effect the axis is to match.

    Attributes:
        condition: its name.
        effect: gap of the condition minus dose 0.
        adjusted: p value after Holm over these conditions; None without a test.
        matched: dose with the same rate; None if no effect is shown, so that there is nothing to
            match.
    """

    condition: str
    effect: Gap
    adjusted: float | None
    matched: MatchedDose | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A suffix without one of its lines.

    Attributes:
        line: its number, from 1.
        effect: gap of the whole suffix minus the suffix without the line.
        adjusted: p value after Holm over the lines; None without a test.
    """

    line: int
    effect: Gap
    adjusted: float | None


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
        sentences: what is shown (`axis_sentences`), or why nothing is concluded.
    """

    name: str
    unit: DoseUnit
    curve: DoseCurve
    matches: tuple[Match, ...]
    left_out: tuple[LeftOut, ...]
    scenarios: int
    sentences: tuple[str, ...] = ()


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
    return AxisResult(
        name=first.axis,
        unit=first.unit,
        curve=curve,
        matches=() if is_ladder else _matches(doses, counts, data.conditions),
        left_out=_left_out(steps, doses, counts),
        scenarios=len({o.scenario for _, name in doses for o in data.outcomes[name]}),
    )


def _matches(
    doses: Sequence[tuple[float, str]],
    counts: Mapping[str, ScenarioCounts],
    conditions: Mapping[str, Condition],
) -> tuple[Match, ...]:
    """Return the conditions that steer and are in no group, with the dose that matches each."""
    targets = [name for name in counts if (c := conditions.get(name)) and c.access and not c.groups]
    anchor = next(name for dose, name in doses if dose == 0)
    effects = [paired_gap(counts[name], counts[anchor], name, anchor) for name in targets]
    matches = []
    for name, effect, p in zip(targets, effects, _holm(effects), strict=True):
        matched = None
        if p is not None and p <= SIGNIFICANCE_LEVEL:
            curve = [counts[condition] for _, condition in doses]
            matched = matched_dose([dose for dose, _ in doses], curve, counts[name])
        matches.append(Match(name, effect, p, matched))
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
    effects = [paired_gap(counts[whole], counts[name], whole, name) for name in names.values()]
    items = zip(names, effects, _holm(effects), strict=True)
    return tuple(LeftOut(line, effect, p) for line, effect, p in items)


def _lines(steps: Mapping[str, DoseStep]) -> float:
    """Return the number of lines of the whole suffix."""
    return max((step.dose + 1 for step in steps.values() if step.without), default=-1)


def _holm(gaps: Sequence[Gap]) -> list[float | None]:
    adjusted = iter(holm([gap.p for gap in gaps if gap.p is not None]))
    return [None if gap.p is None else next(adjusted) for gap in gaps]
