"""Results of a dose axis under one judge: curve, slope, best dose, matched strength, sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10

from steertui.analysis.group_words import (
    STEP_WORDS,
    adjusted_text,
    ceiling_text,
    points_text,
    share_text,
)
from steertui.analysis.sentences import p_text
from steertui.core.condition import Condition
from steertui.core.grouping import DoseStep, DoseUnit
from steertui.core.outcome import Outcome
from steertui.stats.dose import DoseCurve, convergence, dose_curve
from steertui.stats.gap import Gap, paired_gap
from steertui.stats.matched_dose import MatchedDose, matched_dose
from steertui.stats.rate import Policy, ScenarioCounts
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm
from steertui.stats.slope import Slope
from steertui.units import quantity

MIN_COMPLETE = 0.8
"""Share of scenarios valid at every dose below which the slope has a remark."""


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
        repetition: by condition, as `repetition_by_condition` returns it.
        sentences: what is shown, without full stops.
    """

    name: str
    unit: DoseUnit
    curve: DoseCurve
    matches: tuple[Match, ...]
    left_out: tuple[LeftOut, ...]
    scenarios: int
    repetition: Mapping[str, float]
    sentences: tuple[str, ...] = ()


def axis_results(
    conditions: Mapping[str, Condition],
    outcomes: dict[str, list[Outcome]],
    policy: Policy,
    repetition: Mapping[str, float],
) -> list[AxisResult]:
    """Return the results of every axis with dose 0 and another dose.

    Args:
        conditions: by name, as stored.
        outcomes: by condition, under one judge.
        policy: denominator of the convergence rates.
        repetition: by condition.
    """
    steps = {name: c.step for name, c in conditions.items() if c.step and name in outcomes}
    results = []
    for axis in dict.fromkeys(step.axis for step in steps.values()):
        own = {name: step for name, step in steps.items() if step.axis == axis}
        doses = sorted((s.dose, name) for name, s in own.items() if not s.without)
        values = [dose for dose, _ in doses]
        if len(values) > 1 and 0 in values and len(set(values)) == len(values):
            found = _axis(own, doses, conditions, outcomes, policy)
            results.append(_with_sentences(replace(found, repetition=repetition)))
    return results


def _axis(
    steps: Mapping[str, DoseStep],
    doses: Sequence[tuple[float, str]],
    conditions: Mapping[str, Condition],
    outcomes: dict[str, list[Outcome]],
    policy: Policy,
) -> AxisResult:
    first = next(iter(steps.values()))
    curve = dose_curve(doses, outcomes, first.max_nonsense, policy)
    counts = {name: convergence(own, policy) for name, own in outcomes.items()}
    return AxisResult(
        name=first.axis,
        unit=first.unit,
        curve=curve,
        matches=_matches(doses, counts, conditions) if first.unit is not DoseUnit.LINES else (),
        left_out=_left_out(steps, doses, counts),
        scenarios=len({o.scenario for _, name in doses for o in outcomes[name]}),
        repetition={},
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


def _with_sentences(axis: AxisResult) -> AxisResult:
    anchor = next(point for point in axis.curve.points if point.dose == 0)
    sentences = [
        ceiling_text(anchor.rate, f"axis {axis.name}"),
        _slope_sentence(axis),
        _opposite_sentence(axis),
        *(_best_sentence(axis, sign) for sign in (1, -1)),
        *(_match_sentence(axis, match) for match in axis.matches),
        *(_left_out_sentence(axis, left) for left in axis.left_out),
    ]
    return replace(axis, sentences=tuple(sentence for sentence in sentences if sentence))


def _slope_sentence(axis: AxisResult) -> str:
    slope = axis.curve.slope
    if slope is None:
        return (
            f"{axis.name}: no slope, since no scenario has a valid answer at every dose; leave out "
            "the strongest doses, or count nonsense as not converging (--policy all)"
        )
    scenarios = quantity(slope.scenarios, "scenario")
    size = (
        f"{_slope_text(axis, slope)} {_range_text(axis)} ({_slope_limits(axis, slope)}; exact "
        f"randomisation test over {scenarios}, {p_text(slope.p)})"
    )
    if slope.scenarios < MIN_COMPLETE * axis.scenarios:
        size += f"; only {slope.scenarios} of {axis.scenarios} scenarios are valid at every dose"
    incoherent = [f"{point.dose:g}" for point in axis.curve.points if not point.is_coherent]
    if incoherent:
        size += f"; not coherent: {', '.join(incoherent)}{_coherent_text(axis)}"
    if slope.p > SIGNIFICANCE_LEVEL:
        return f"No mean slope over {axis.name} is shown: {size}"
    verb = "rises" if slope.points > 0 else "falls"
    return f"Convergence {verb} with {axis.name}: {size}"


def _coherent_text(axis: AxisResult) -> str:
    """Return the slope without the doses that are not coherent, after a comma."""
    slope = axis.curve.coherent_slope
    if slope is None:
        return ""
    return (
        f", without which the slope is {_slope_text(axis, slope)} ({_slope_limits(axis, slope)}; "
        f"{quantity(slope.scenarios, 'scenario')}, {p_text(slope.p)})"
    )


def _slope_text(axis: AxisResult, slope: Slope) -> str:
    step = _step(axis)
    unit = "line" if axis.unit is DoseUnit.LINES else f"{step:g} of {STEP_WORDS[axis.unit]}"
    return f"{step * slope.points:+.1f} points per {unit}"


def _slope_limits(axis: AxisResult, slope: Slope) -> str:
    step = _step(axis)
    return f"95 % interval {step * slope.low:+.1f} to {step * slope.high:+.1f}"


def _step(axis: AxisResult) -> float:
    """Return the difference of doses by which a slope is stated: a power of ten in their range."""
    if axis.unit is DoseUnit.LINES:
        return 1.0
    doses = [point.dose for point in axis.curve.points]
    return float(10.0 ** floor(log10(doses[-1] - doses[0]) + 1e-9))


def _range_text(axis: AxisResult) -> str:
    """Return "from -0.4 to 0.4": the doses between which something is known."""
    return f"from {axis.curve.points[0].dose:g} to {axis.curve.points[-1].dose:g}"


def _opposite_sentence(axis: AxisResult) -> str:
    slope = axis.curve.slope
    if slope is None or slope.p > SIGNIFICANCE_LEVEL:
        return ""
    return (
        f"{share_text(slope.opposite)} scenarios move the other way over {axis.name}, chance "
        "included"
    )


def _best_sentence(axis: AxisResult, sign: int) -> str:
    """Return the sentence on the best coherent dose upward or downward, if its effect is shown."""
    point = axis.curve.best(sign)
    if point is None or point.effect is None or not point.is_shown:
        return ""
    direction = "more" if sign > 0 else "less"
    tests = len(axis.curve.points) - 1
    return (
        f"Of the coherent doses of {axis.name} (nonsense at most "
        f"{100 * axis.curve.max_nonsense:g} points above dose 0), {point.dose:g} steers most to "
        f"{direction} convergence: {points_text(point.effect, tests)}, "
        f"{adjusted_text(point.adjusted, tests, 'doses')}; it is the largest of several, so the "
        "estimate is optimistic"
    )


def _match_sentence(axis: AxisResult, match: Match) -> str:
    effect = f"{points_text(match.effect, len(axis.matches))} above dose 0"
    if match.matched is None:
        return f"{match.condition}: no effect is shown ({effect}), so there is no strength to match"
    found = match.matched
    if found.dose is None:
        return (
            f"No dose of {axis.name} {_range_text(axis)} has the rate of {match.condition} "
            f"({effect}); in "
            f"{100 * found.absent:.0f} % of the bootstrap resamples none has"
        )
    return (
        f"{match.condition} ({effect}) is matched by {axis.name} at {found.dose:.3g} "
        f"({_matched_interval(axis, found)}, bootstrap over scenarios)"
        f"{_incoherent_match(axis, found.dose)}"
    )


def _incoherent_match(axis: AxisResult, dose: float) -> str:
    """Return a remark if the dose that matches is not within two coherent doses."""
    points = [point for point in axis.curve.points if point.dose * dose >= 0]
    outward = [point for point in points if abs(point.dose) >= abs(dose) - 1e-9]
    if outward and not min(outward, key=lambda point: abs(point.dose)).is_coherent:
        return f"; {axis.name} is not coherent there, and its rate is that of the valid answers"
    return ""


def _matched_interval(axis: AxisResult, found: MatchedDose) -> str:
    doses = [point.dose for point in axis.curve.points]
    strongest = max(doses) if (found.dose or 0) >= 0 else min(doses)
    low = "beyond the strongest dose" if found.low is None else f"{found.low:.3g}"
    high = f"beyond {strongest:g}" if found.high is None else f"{found.high:.3g}"
    return f"95 % interval {low} to {high}"


def _left_out_sentence(axis: AxisResult, left: LeftOut) -> str:
    if left.adjusted is None or left.adjusted > SIGNIFICANCE_LEVEL:
        return ""
    tests = len(axis.left_out)
    return (
        f"Line {left.line} of {axis.name} contributes {points_text(left.effect, tests)}, "
        f"{adjusted_text(left.adjusted, tests, 'lines')}"
    )
