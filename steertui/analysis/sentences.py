"""Sentences: comparisons in words that claim no more than the data carry."""

from dataclasses import replace
from math import ceil

from steertui.stats.gap import Gap
from steertui.stats.power import min_discordant, minimum_detectable_gap, scenarios_needed
from steertui.stats.significance import SIGNIFICANCE_LEVEL


def gap_sentence(
    gap: Gap, planned_scenarios: int, adjusted: float | None = None, tests: int = 1
) -> str:
    """Say what a gap shows, and no more; one sentence, no full stop.

    The exact test decides, at 5 %; `adjusted` is its p after Holm over so many `tests`, and then
    decides.
    """
    names = f"{gap.first} and {gap.second}"
    if gap.points is None or gap.low is None or gap.high is None:
        return f"{names} cannot be compared: no valid answer under at least one of them"
    p = gap.p if adjusted is None else adjusted
    if (
        p is not None and p <= SIGNIFICANCE_LEVEL and gap.points < 0
    ):  # said from the larger one's side
        gap = _turned(gap)
    size = f"{gap.points:+.1f} points (95 % interval {gap.low:+.1f} to {gap.high:+.1f})"
    if p is None:
        return f"{names} cannot be tested: no scenario is valid under both; difference {size}"
    holm = "" if adjusted is None else " after Holm"
    kind = "discordant" if gap.samples == 1 else "scenarios converge more often, sign-flip"
    counts = f"{gap.only_first} against {gap.only_second} {kind}, {p_text(p)}{holm}"
    if p <= SIGNIFICANCE_LEVEL:
        said = f"{_direction(gap)}: {size}; {counts}"
    else:
        said = f"{names} are not distinguishable: {counts}; difference {size}; {_least(gap, tests)}"
    if (p <= SIGNIFICANCE_LEVEL) != ((gap.low or 0) > 0 or (gap.high or 0) < 0):
        said += f"; interval and test disagree, and the test, over {gap.pairs} pairs, decides"
    if gap.pairs < planned_scenarios:
        said += f"; only {gap.pairs} of {planned_scenarios} scenarios are valid under both"
    return said


def _direction(gap: Gap) -> str:
    assert gap.points is not None
    if gap.points * (gap.only_first - gap.only_second) <= 0:
        return (
            f"{gap.first} and {gap.second} differ, but rates and pairs point different ways, so "
            "the direction is not shown"
        )
    more, less = (gap.first, gap.second) if gap.points > 0 else (gap.second, gap.first)
    return f"{more} converges more than {less}"


def difference_sentence(gap: Gap, what: str, adjusted: float | None = None, tests: int = 1) -> str:
    """Say how two models, temperatures or judges differ in `what`, and no more; no full stop.

    `what` is a condition, or the gap of two, of which `gap` holds the difference.
    """
    names = f"{gap.first} and {gap.second}"
    if gap.points is None or gap.low is None or gap.high is None or gap.p is None:
        return f"{what}: {names} cannot be compared: they share no scenario that is valid in both"
    p = gap.p if adjusted is None else adjusted
    if p <= SIGNIFICANCE_LEVEL and gap.points < 0:  # said from the larger one's side
        gap = _turned(gap)
    size = f"{gap.points:+.1f} points (95 % interval {gap.low:+.1f} to {gap.high:+.1f})"
    holm = "" if adjusted is None else " after Holm"
    kind = "discordant" if gap.samples == 1 and "−" not in what else "scenarios, sign-flip"
    counts = f"{gap.only_first} against {gap.only_second} {kind}, {p_text(p)}{holm}"
    if p > SIGNIFICANCE_LEVEL:
        least = "" if "−" in what else f"; {_least(gap, tests)}"
        if (gap.low or 0) > 0 or (gap.high or 0) < 0:
            least += f"; interval and test disagree, and the test, over {gap.pairs} pairs, decides"
        return f"{what}: {names} are not distinguishable: {counts}; difference {size}{least}"
    if (gap.points or 0) * (gap.only_first - gap.only_second) <= 0:
        return f"{what}: {names} differ, but the direction is not shown: {size}; {counts}"
    return f"{what}: larger for {gap.first} than for {gap.second}: {size}; {counts}"


def _turned(gap: Gap) -> Gap:
    """Return the gap seen from its other side."""
    assert gap.points is not None
    assert gap.low is not None
    assert gap.high is not None
    return replace(
        gap, first=gap.second, second=gap.first, points=-gap.points, low=-gap.high, high=-gap.low,
        only_first=gap.only_second, only_second=gap.only_first,
    )  # fmt: skip


def _least(gap: Gap, tests: int) -> str:
    least = minimum_detectable_gap(gap.pairs, tests=tests)
    over = f" after Holm over {tests}" if tests > 1 else ""
    if least is None:
        pairs = quantity(gap.pairs, "pair")
        return f"with {pairs} no difference can show{over} ({min_discordant(tests)} is the least)"
    points = f"{ceil(least)} points is"
    if gap.samples > 1:  # between independent samples and copies; see minimum_gap_sentence
        best = minimum_detectable_gap(gap.pairs * gap.samples, tests=tests) or least
        points = f"{ceil(best)} to {ceil(least)} points is"
    return f"with {gap.pairs} pairs, {points} the least that shows in 4 runs of 5{over}"


def minimum_gap_sentence(scenarios: int, samples: int = 1, tests: int = 1) -> str:
    """Say before a run the smallest gap it can show, and what half of it would need.

    In 4 runs of 5: 80 % power of the exact test in the best case (`power.smallest_gap`), after
    Holm over as many `tests` as the conditions' comparisons. Samples of a scenario lie between
    copies (worth one) and independent (worth a scenario each).
    """
    if tests == 0:
        return "One condition alone shows no gap: plan pro and anti"
    least = minimum_detectable_gap(scenarios, tests=tests)
    if least is None:
        return (
            f"With {quantity(scenarios, 'scenario')} no gap is sure to show, however large: "
            f"plan at least {min_discordant(tests)}"
        )
    half = ceil(least) / 2
    over = f" and Holm over {tests} comparisons" if tests > 1 else ""
    said = (
        f"With {scenarios} scenarios{over}, {ceil(least)} points is the smallest gap that shows in "
        "4 runs of 5"
    )
    if samples > 1:
        best = minimum_detectable_gap(scenarios * samples, tests=tests) or least
        said += (
            f"; {samples} samples each bring that to {ceil(best)} points at best, if the samples "
            "of a scenario differ as much as scenarios do, and change nothing if they are alike"
        )
    needed = scenarios_needed(half, tests=tests)
    return f"{said}; {half:g} points need at least {needed} scenarios"


def p_text(p: float) -> str:
    """Return "p = 0.0075", "p < 0.001" or "p = 1.0"; never rounded across 0.05."""
    if p < 0.001:
        return "p < 0.001"
    if p >= 0.995:
        return "p = 1.0"
    digits = next(
        d
        for d in range(2, 18)
        if (float(f"{p:.{d}g}") <= SIGNIFICANCE_LEVEL) == (p <= SIGNIFICANCE_LEVEL)
    )
    return f"p = {p:.{digits}g}"


def quantity(number: int, noun: str) -> str:
    """Return "1 pair" or "5 pairs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
