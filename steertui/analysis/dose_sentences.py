"""Sentences on a dose axis: slope, best coherent dose, matched strength, lines left out."""

from collections.abc import Iterator
from math import floor, isclose, log10

from steertui.analysis.coherence_costs import CostMatch
from steertui.analysis.dose_results import AxisResult, LeftOut, Match
from steertui.analysis.group_words import (
    STEP_WORDS,
    ceiling_text,
    limits_text,
    p_words,
    points_text,
    share_text,
)
from steertui.analysis.interval_text import interval_words, level_text
from steertui.analysis.sentences import p_text
from steertui.core.grouping import DoseUnit
from steertui.stats.coherence import CoherenceMeasure, PairedMean
from steertui.stats.dose import DosePoint
from steertui.stats.families import PRIMARY, FamilyTest
from steertui.stats.matched_dose import MatchedDose
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.stats.slope import Slope
from steertui.units import quantity

MIN_COMPLETE = 0.8
"""Share of scenarios valid at every dose below which the slope has a remark."""


def axis_sentences(axis: AxisResult) -> tuple[str, ...]:
    """Return what is shown on an axis, one sentence each, without full stops."""
    anchor = next(point for point in axis.curve.points if point.dose == 0)
    if not axis.curve.is_judged:
        return tuple(filter(None, _sentences_without_labels(axis, anchor)))
    sentences = [
        ceiling_text(anchor.rate, f"axis {axis.name}"),
        _unmeasured_sentence(axis, anchor),
        _slope_sentence(axis),
        _opposite_sentence(axis),
        *(_best_sentence(axis, sign) for sign in (1, -1)),
        *(_match_sentence(axis, match) for match in axis.matches),
        *(_cost_sentence(axis, match.condition, match.cost) for match in axis.matches),
        *(_left_out_sentence(axis, left) for left in axis.left_out),
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _sentences_without_labels(axis: AxisResult, anchor: DosePoint) -> Iterator[str]:
    """Yield what is known before any answer is judged; "" for nothing."""
    if all(point.means.repetition is None for point in axis.curve.points):
        yield f"No answer on axis {axis.name} is stored yet"
        return
    yield _unmeasured_sentence(axis, anchor)
    beyond, unknown = _beyond_limits(axis), _unknown_limits(axis)
    limits = limits_text(axis.curve.limits)
    yield (
        f"Without labels convergence and nonsense over {axis.name} are unknown; beyond the other "
        f"limits of coherence ({limits}): {beyond or 'no dose'}"
        f"{f'; not known to be within them: {unknown}' if unknown else ''}"
    )
    yield from (_cost_sentence(axis, match.condition, match.cost) for match in axis.matches)


def axis_headline(axis: AxisResult) -> str:
    """Return the mean slope with its interval and test, without a full stop."""
    if not axis.curve.is_judged:
        return f"{axis.name}: its answers have no labels yet"
    slope = axis.curve.slope
    if slope is None:
        return f"{axis.name}: no scenario has a valid answer at every dose"
    size = f"{_slope_text(axis, slope)} ({_slope_limits(axis, slope)}, {p_text(slope.p)})"
    return f"{slope_claim(axis, slope)}: {size}"


def slope_claim(axis: AxisResult, slope: Slope) -> str:
    """Return what is shown on the slope of an axis, without its size."""
    if slope.p > SIGNIFICANCE_LEVEL:
        return f"No mean slope over {axis.name} is shown"
    return f"Convergence {'rises' if slope.points > 0 else 'falls'} with {axis.name}"


def _unmeasured_sentence(axis: AxisResult, anchor: DosePoint) -> str:
    if CoherenceMeasure.LOGLIK not in anchor.exceeded:
        return ""
    return (
        f"The log-likelihood of the answers of {axis.name} is limited but was not measured, so no "
        'dose is called coherent; set coherence to "doses" and run the experiment again'
    )


def _slope_sentence(axis: AxisResult) -> str:
    slope = axis.curve.slope
    if slope is None:
        return (
            f"{axis.name}: no slope, since fewer than {MIN_PAIRS} scenarios have a valid answer at "
            "every dose; leave out the strongest doses, or count nonsense as not converging "
            "(policy all)"
        )
    scenarios = quantity(slope.scenarios, "scenario")
    size = (
        f"{_slope_text(axis, slope)} {_range_text(axis)} ({_slope_limits(axis, slope)}; exact "
        f"randomisation test over {scenarios}, {p_text(slope.p)})"
    )
    if slope.scenarios < MIN_COMPLETE * axis.scenarios:
        size += f"; only {slope.scenarios} of {axis.scenarios} scenarios are valid at every dose"
    beyond, unknown = _beyond_limits(axis), _unknown_limits(axis)
    if beyond:
        size += f"; not coherent: {beyond}"
    if unknown:
        size += f"; not known to be coherent: {unknown}"
    return f"{slope_claim(axis, slope)}: {size}{_coherent_text(axis) if beyond or unknown else ''}"


def _beyond_limits(axis: AxisResult) -> str:
    """Return "0.2 (nonsense), 0.4 (nonsense, repetition)": doses beyond limits; "" for none."""
    points = axis.curve.points
    return ", ".join(f"{p.dose:g} ({', '.join(p.beyond)})" for p in points if p.beyond)


def _unknown_limits(axis: AxisResult) -> str:
    """Return the doses with a limited measure that is unknown, if none is known to be beyond."""
    points = [point for point in axis.curve.points if point.unknown and not point.beyond]
    return ", ".join(f"{point.dose:g} ({', '.join(point.unknown)})" for point in points)


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
    return interval_words(FamilyTest(PRIMARY, slope.p, 0.95, step * slope.low, step * slope.high))


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
    if point is None or point.effect is None or point.test is None or not point.is_shown:
        return ""
    direction = "more" if sign > 0 else "less"
    return (
        f"Of the coherent doses of {axis.name} ({limits_text(axis.curve.limits)}), "
        f"{point.dose:g} has the largest estimated effect toward {direction} convergence: "
        f"{points_text(point.effect, point.test)}, "
        f"{p_words(point.test)}; it is the largest of several, so the "
        "estimate is optimistic"
    )


def _match_sentence(axis: AxisResult, match: Match) -> str:
    effect = f"{points_text(match.effect, match.test)} above dose 0"
    if match.matched is None:
        return f"{match.condition}: no effect is shown ({effect}), so there is no strength to match"
    found = match.matched
    if found.dose is None:
        return (
            f"No dose of {axis.name} {_range_text(axis)} has the rate of {match.condition} "
            f"({effect}) if the rate is taken to rise or fall all along the axis; so taken, none "
            f"has in {100 * found.absent:.0f} % of the bootstrap resamples"
        )
    return (
        f"{match.condition} ({effect}) is matched by {axis.name} at {_dose_text(axis, found.dose)} "
        f"({_matched_interval(axis, found)}, bootstrap over scenarios)"
        f"{_incoherent_match(axis, found.dose)}"
    )


def _cost_sentence(axis: AxisResult, condition: str, cost: CostMatch | None) -> str:
    """Return the sentence on the cost of a condition and the doses that cost as much."""
    if cost is None:
        return ""
    family = cost.family
    holm = f" after Holm over {family.tests} {family.words}" if family.is_corrected else ""
    size = f"{_nats_text(cost.loss)}, {p_text(cost.p)}{holm}"
    if not cost.matched:
        return (
            f"{condition}: no fall of the log-likelihood below dose 0 is shown ({size}), so there "
            "is no cost to match"
        )
    return (
        f"The log-likelihood of answers under {condition} is lower than at dose 0 ({size}); "
        f"{'; '.join(_equal_costs(axis, cost))}"
    )


def _nats_text(loss: PairedMean) -> str:
    """Return "-0.40 nats per token (95 % interval -0.52 to -0.28)": the change from dose 0."""
    mean = f"{0.0 - loss.mean:+.2f} nats per token"
    if loss.low is None or loss.high is None:
        return mean
    limits = f"{0.0 - loss.high:+.2f} to {0.0 - loss.low:+.2f}"
    return f"{mean} ({level_text(loss.level)} interval {limits})"


def _equal_costs(axis: AxisResult, cost: CostMatch) -> Iterator[str]:
    """Yield the doses that cost as much, and the sides of 0 on which no dose does."""
    strongest = [axis.curve.points[-1].dose, axis.curve.points[0].dose]
    sides = [*zip(cost.matched, filter(None, strongest), strict=True)]
    equal = [
        f"at {_dose_text(axis, found.dose)} ({_limits_of_dose(found, end)}, bootstrap over "
        "scenarios)"
        for found, end in sides
        if found.dose is not None
    ]
    if equal:
        yield f"{axis.name} costs as much {' and '.join(equal)}"
    for found, end in sides:
        if found.dose is None:
            yield (
                f"no dose of {axis.name} from 0 to {end:g} costs as much, nor in "
                f"{100 * found.absent:.0f} % of the bootstrap resamples"
            )


def _incoherent_match(axis: AxisResult, dose: float) -> str:
    """Return a remark if the dose that matches is not within two coherent doses."""
    points = [point for point in axis.curve.points if point.dose * dose >= 0]
    outward = [point for point in points if abs(point.dose) >= abs(dose) - 1e-9]
    nearest = min(outward, key=lambda point: abs(point.dose), default=None)
    if nearest is None or nearest.is_coherent:
        return ""
    state = "not coherent" if nearest.beyond else "not known to be coherent"
    return f"; {axis.name} is {state} there, and its rate is that of the valid answers"


def _matched_interval(axis: AxisResult, found: MatchedDose) -> str:
    doses = [point.dose for point in axis.curve.points]
    return _limits_of_dose(found, max(doses) if (found.dose or 0) >= 0 else min(doses))


def _dose_text(axis: AxisResult, dose: float) -> str:
    """Return "0.204, interpolated between 0.2 and 0.4", or a measured dose alone."""
    doses = [point.dose for point in axis.curve.points]
    if any(isclose(dose, measured, abs_tol=1e-9) for measured in doses):
        return f"{dose:.3g}"
    below = max(measured for measured in doses if measured < dose)
    above = min(measured for measured in doses if measured > dose)
    return f"{dose:.3g}, interpolated between {below:g} and {above:g}"


def _limits_of_dose(found: MatchedDose, strongest: float) -> str:
    low = "beyond the strongest dose" if found.low is None else f"{found.low:.3g}"
    high = f"beyond {strongest:g}" if found.high is None else f"{found.high:.3g}"
    return f"95 % interval {low} to {high}"


def _left_out_sentence(axis: AxisResult, left: LeftOut) -> str:
    if not left.test.is_significant:
        return ""
    return (
        f"Line {left.line} of {axis.name} contributes {points_text(left.effect, left.test)}, "
        f"{p_words(left.test)}"
    )
