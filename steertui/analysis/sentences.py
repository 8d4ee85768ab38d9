"""Sentences on comparisons: direction, interval, exact test, minimum detectable gap."""

from dataclasses import replace
from math import ceil

from steertui.stats.gap import Gap
from steertui.stats.power import min_discordant, minimum_detectable_gap, scenarios_needed
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.units import quantity

POWER = "80 % power"
"""Power of the minimum detectable gaps in sentences: the default of `minimum_detectable_gap`."""


def gap_sentence(
    gap: Gap, planned_scenarios: int, adjusted: float | None = None, tests: int = 1
) -> str:
    """Return one sentence on a gap between two conditions, without a full stop.

    The exact test decides, at 5 %. `adjusted` is its p value after Holm over `tests` tests; if
    given, it decides instead.
    """
    names = f"{gap.first} and {gap.second}"
    if gap.points is None or gap.low is None or gap.high is None:
        return f"{names} cannot be compared: no valid answer under at least one of them"
    p = gap.p if adjusted is None else adjusted
    if p is None:
        size = _size(gap)
        return f"{names} cannot be tested: no scenario is valid under both; difference {size}"
    is_significant = p <= SIGNIFICANCE_LEVEL
    if is_significant:
        gap = _larger_first(gap)
    kind = "discordant" if gap.samples == 1 else "scenarios converge more often, sign-flip"
    counts = f"{gap.only_first} against {gap.only_second} {kind}, {_p_text(p, adjusted)}"
    if is_significant:
        sentence = f"{_direction(gap)}: {_size(gap)}; {counts}"
    else:
        sentence = (
            f"{names} are not distinguishable: {counts}; difference {_size(gap)}; "
            f"{_minimum_gap(gap, tests)}"
        )
    if is_significant != _excludes_zero(gap):
        sentence += f"; {_disagreement(gap)}"
    if gap.pairs < planned_scenarios:
        sentence += f"; only {gap.pairs} of {planned_scenarios} scenarios are valid under both"
    return sentence


def withheld_sentence(gap: Gap) -> str:
    """Return the sentence that replaces the result of a judge without worth."""
    return f"nothing is concluded on {gap.first} and {gap.second}: the labels are not reliable"


def _direction(gap: Gap) -> str:
    assert gap.points is not None
    if gap.points * (gap.only_first - gap.only_second) <= 0:
        return (
            f"{gap.first} and {gap.second} differ, but the rates and the pairs have opposite "
            "directions, so the direction is not shown"
        )
    more, less = (gap.first, gap.second) if gap.points > 0 else (gap.second, gap.first)
    return f"{more} converges more than {less}"


def difference_sentence(
    gap: Gap, quantity_name: str, adjusted: float | None = None, tests: int = 1
) -> str:
    """Return one sentence on two models, temperatures or judges, without a full stop.

    `quantity_name` is a condition, or a gap such as "pro − anti" of which `gap` is the
    difference. `adjusted` and `tests` are as in `gap_sentence`.
    """
    names = f"{gap.first} and {gap.second}"
    if gap.points is None or gap.low is None or gap.high is None or gap.p is None:
        return (
            f"{quantity_name}: {names} cannot be compared: they share no scenario that is valid "
            "in both"
        )
    is_gap = "−" in quantity_name
    p = gap.p if adjusted is None else adjusted
    is_significant = p <= SIGNIFICANCE_LEVEL
    if is_significant:
        gap = _larger_first(gap)
    kind = "discordant" if gap.samples == 1 and not is_gap else "scenarios, sign-flip"
    counts = f"{gap.only_first} against {gap.only_second} {kind}, {_p_text(p, adjusted)}"
    if not is_significant:
        notes = [f"{quantity_name}: {names} are not distinguishable: {counts}"]
        notes.append(f"difference {_size(gap)}")
        notes += [] if is_gap else [_minimum_gap(gap, tests)]
        notes += [_disagreement(gap)] if _excludes_zero(gap) else []
        return "; ".join(notes)
    if (gap.points or 0) * (gap.only_first - gap.only_second) <= 0:
        result = f"{names} differ, but the direction is not shown"
        return f"{quantity_name}: {result}: {_size(gap)}; {counts}"
    return f"{quantity_name}: larger for {gap.first} than for {gap.second}: {_size(gap)}; {counts}"


def _size(gap: Gap) -> str:
    return f"{gap.points:+.1f} points (95 % interval {gap.low:+.1f} to {gap.high:+.1f})"


def _p_text(p: float, adjusted: float | None) -> str:
    return p_text(p) if adjusted is None else f"{p_text(p)} after Holm"


def _excludes_zero(gap: Gap) -> bool:
    return (gap.low or 0) > 0 or (gap.high or 0) < 0


def _disagreement(gap: Gap) -> str:
    return f"interval and test disagree; the test over {gap.pairs} pairs decides"


def _larger_first(gap: Gap) -> Gap:
    """Return the gap with the larger rate as `first`."""
    assert gap.points is not None
    assert gap.low is not None
    assert gap.high is not None
    if gap.points >= 0:
        return gap
    return replace(
        gap,
        first=gap.second,
        second=gap.first,
        points=-gap.points,
        low=-gap.high,
        high=-gap.low,
        only_first=gap.only_second,
        only_second=gap.only_first,
    )


def _minimum_gap(gap: Gap, tests: int) -> str:
    """Return the minimum detectable gap for the gap's pairs, in words.

    With several samples per scenario it is a range: from independent samples to copies.
    """
    smallest = minimum_detectable_gap(gap.pairs, tests=tests)
    holm = f" after Holm over {tests} tests" if tests > 1 else ""
    pairs = quantity(gap.pairs, "pair")
    if smallest is None:
        return (
            f"with {pairs} no difference can be significant{holm} "
            f"(at least {min_discordant(tests)} are needed)"
        )
    points = f"{ceil(smallest)} points"
    if gap.samples > 1:
        best = minimum_detectable_gap(gap.pairs * gap.samples, tests=tests) or smallest
        points = f"{ceil(best)} to {ceil(smallest)} points"
    return f"minimum detectable gap with {pairs} at {POWER}{holm}: {points}"


def minimum_gap_sentence(scenarios: int, samples: int = 1, tests: int = 1) -> str:
    """Return one sentence on the smallest gap that a plan can detect, without a full stop.

    Power of the exact test in the best case (`minimum_detectable_gap`), after Holm over `tests`
    comparisons of conditions. Several samples of a scenario are worth between one (copies) and
    one scenario each (independent).
    """
    if tests == 0:
        return "With one condition there is no gap to detect; plan pro and anti"
    smallest = minimum_detectable_gap(scenarios, tests=tests)
    if smallest is None:
        return (
            f"With {quantity(scenarios, 'scenario')} no gap of any size is detectable at {POWER}; "
            f"plan at least {min_discordant(tests)}"
        )
    half = ceil(smallest) / 2
    holm = f" and Holm over {tests} comparisons" if tests > 1 else ""
    sentence = (
        f"With {scenarios} scenarios{holm}, the minimum detectable gap at {POWER} is "
        f"{ceil(smallest)} points, if no scenario moves the other way"
    )
    if samples > 1:
        best = minimum_detectable_gap(scenarios * samples, tests=tests) or smallest
        sentence += (
            f"; with {samples} samples it is {ceil(best)} points at best, if samples of a scenario "
            "vary as much as scenarios, and unchanged if they are equal"
        )
    needed = scenarios_needed(half, tests=tests)
    return f"{sentence}; {half:g} points need at least {needed} scenarios"


def p_text(p: float) -> str:
    """Return "p = 0.0075", "p < 0.001" or "p = 1.0"; never rounded across 0.05."""
    if p < 0.001:
        return "p < 0.001"
    if p >= 0.995:
        return "p = 1.0"
    is_significant = p <= SIGNIFICANCE_LEVEL
    digits = next(
        digits
        for digits in range(2, 18)
        if (float(f"{p:.{digits}g}") <= SIGNIFICANCE_LEVEL) == is_significant
    )
    return f"p = {p:.{digits}g}"
