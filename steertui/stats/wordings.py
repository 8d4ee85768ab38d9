"""Wordings as a random factor: the gap over wordings like the observed ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from steertui.stats.crossed import Arm, Wordings, measure_arm, scenario_names
from steertui.stats.gap import Gap, paired_gap
from steertui.stats.rate import Estimate, ScenarioCounts


@dataclass(frozen=True, slots=True)
class WordingGap:
    """The gap between two arms, each with one or several wordings.

    Attributes:
        texts: the mean gap over these very texts, with limits over scenarios and the exact test.
        wordings: number of wordings of the first and of the second arm.
        over: mean over the wordings, with 95 % limits over scenarios and wordings like these,
            percentage points; None if neither arm has several wordings, or with fewer than
            `MIN_PAIRS` scenarios valid under both.
        spread: standard deviation of the wordings' true rates, percentage points, of the first and
            of the second arm; None for an arm with one wording.
        share: part of the variance of `over` that is due to the choice of wordings, 0 to 1; None
            without it.
    """

    texts: Gap
    wordings: tuple[int, int]
    over: Estimate | None
    spread: tuple[float | None, float | None]
    share: float | None


def wording_gap(one: Wordings, two: Wordings, first: str, second: str) -> WordingGap | None:
    """Return the gap between two arms over their wordings, scenarios crossed with wordings.

    Estimate: difference of the mean rates, each wording with equal weight. Its variance adds
    scenarios and wordings and subtracts what both contain (analysis of variance of a crossed
    design; Cameron, Gelbach and Miller, Journal of Business and Economic Statistics 29, 2011,
    238-249); the limits use Student's t with Satterthwaite's degrees of freedom (Biometrics
    Bulletin 2, 1946, 110-114). An arm with one wording adds no variance of wordings: the limits
    take its text as fixed. The limits are never inside those over these very texts. Measured
    coverage: benchmarks/COVERAGE.md. Return None without a valid answer for a wording.
    """
    scenarios = scenario_names(one, two)
    if len(scenarios) < 2:
        return None
    arms = [measure_arm(side, scenarios) for side in (one, two)]
    first_arm, second_arm = arms
    if first_arm is None or second_arm is None:
        return None
    texts = paired_gap(_all_texts(one), _all_texts(two), first, second)
    variance, quantile = _variance(first_arm, second_arm)
    several = first_arm.wordings > 1 or second_arm.wordings > 1
    wordings = first_arm.wording_variance + second_arm.wording_variance
    return WordingGap(
        texts=texts,
        wordings=(first_arm.wordings, second_arm.wordings),
        over=_limits(first_arm, second_arm, texts, quantile * sqrt(variance)) if several else None,
        spread=(_spread(first_arm), _spread(second_arm)),
        share=wordings / variance if several and variance else None,
    )


def _variance(one: Arm, two: Arm) -> tuple[float, float]:
    """Return the variance of the difference of two arms, and the quantile of its 95 % limits."""
    from scipy.special import stdtrit

    number = len(one.influence)
    influence = one.influence - two.influence
    scenarios = float((influence**2).sum()) * number / (number - 1)
    variance = scenarios + one.wording_variance + two.wording_variance
    parts = [(scenarios, number - 1), *_wording_parts(one, number), *_wording_parts(two, number)]
    squares = sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / squares if squares else number - 1
    return variance, float(stdtrit(max(1.0, freedom), 0.975))


def _wording_parts(arm: Arm, scenarios: int) -> Iterator[tuple[float, int]]:
    """Yield the components of an arm with several wordings, with their degrees of freedom."""
    if arm.wordings > 1:
        yield arm.between, arm.wordings - 1
        yield arm.cells, (arm.wordings - 1) * (scenarios - 1)


def _limits(one: Arm, two: Arm, texts: Gap, half_width: float) -> Estimate | None:
    """Return the estimate over wordings; None if the one over these texts has no limits."""
    if texts.points is None or texts.low is None or texts.high is None:
        return None
    points = 100 * (one.mean - two.mean)
    below = max(100 * half_width, texts.points - texts.low)
    above = max(100 * half_width, texts.high - texts.points)
    return Estimate(points, max(-100.0, points - below), min(100.0, points + above))


def _spread(arm: Arm) -> float | None:
    if arm.wordings < 2:
        return None
    return 100 * sqrt(arm.wording_variance * arm.wordings)


def _all_texts(wordings: Wordings) -> ScenarioCounts:
    """Return the counts over all wordings of an arm: its texts as samples of one condition."""
    total: dict[str, tuple[int, int]] = {}
    for counts in wordings:
        for name, (x, m) in counts.items():
            count, size = total.get(name, (0, 0))
            total[name] = count + x, size + m
    return total
