"""Slope of convergence over a dose or a size, per scenario: mean, interval, exact test."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from steertui.stats.equivalence import score_test
from steertui.stats.gap import GapCounts
from steertui.stats.rate import Z95, Estimate, Rate, ScenarioCounts, wilson_interval
from steertui.stats.sign_flips import sign_flip_p
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.stats.simultaneous import MIN_PAIRS, agreeing_limits

Shares = Mapping[str, Fraction]
"""By scenario: share of convergence, or the difference of two."""

BISECTIONS = 30
"""Bisection steps for a limit of the interval."""

MAX_DENOMINATOR = 1_000_000
"""Largest denominator of a dose as a fraction."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Mean over scenarios of a least-squares slope.

    Attributes:
        points: percentage points per unit of dose, or per doubling of the size.
        low: lower 95 % limit, in the same unit, in agreement with the test (`agreeing`); exactly 0
            if the test has set it.
        high: upper 95 % limit.
        p: two-sided p value (`sign_flip_p`).
        scenarios: those with a valid answer at every dose or size, over which it is computed.
        up: scenarios with a positive slope.
        down: scenarios with a negative slope.
    """

    points: float
    low: float
    high: float
    p: float
    scenarios: int
    up: int
    down: int

    def agreeing(self, p: float) -> "Slope":
        """Return the slope with limits that agree with a p value, such as one after Holm."""
        estimate = agreeing_limits(
            Estimate(self.points, self.low, self.high),
            is_shown=p <= SIGNIFICANCE_LEVEL,
            direction=1 if self.points > 0 else -1,
        )
        return replace(self, low=estimate.low, high=estimate.high)

    @property
    def opposite(self) -> Rate:
        """Share of scenarios that move against the mean slope, with its 95 % interval."""
        count = self.down if self.points > 0 else self.up
        low, high = wilson_interval(count / self.scenarios, self.scenarios)
        return Rate(count, self.scenarios, low, high)


def mean_slope(doses: Sequence[float], counts: Sequence[ScenarioCounts]) -> Slope | None:
    """Return the mean slope over the scenarios that are valid at every dose.

    None with fewer than `MIN_PAIRS` of them.

    Args:
        doses: distinct doses.
        counts: by dose.

    Each scenario's slope is that of a least-squares line through its shares of convergence. Limits:
    `mean_limits`. Test: `sign_flip_p`, since scenarios may move in different directions, which
    tests that pool the counts of each dose ignore (Cochran-Armitage).
    """
    weights = _weights(doses, [None] * len(doses))
    slope = _mean_slope(weights, [_shares(each) for each in counts], 1, Z95)
    return slope.agreeing(slope.p) if slope else None


def rate_slope(
    sizes: Sequence[float],
    counts: Sequence[ScenarioCounts],
    groups: Sequence[Hashable],
    z: float = Z95,
) -> Slope | None:
    """Return the mean slope of convergence over models of different sizes.

    Args:
        sizes: of the models, such as binary logarithms of their parameters.
        counts: by model.
        groups: of the models, such as families; the slope is that within groups, so that
            differences between groups do not enter it. At least one has two sizes.
        z: two-sided standard normal quantile of the limits' level.

    Otherwise as `mean_slope`, but the limits are not made to agree with the p value, which a family
    may correct. The models are fixed: the slope is about them.
    """
    return _mean_slope(_weights(sizes, groups), [_shares(each) for each in counts], 1, z)


def gap_slope(
    sizes: Sequence[float],
    gaps: Sequence[GapCounts],
    groups: Sequence[Hashable],
    z: float = Z95,
) -> Slope | None:
    """Return the mean slope of a gap over models of different sizes; see `rate_slope`.

    Over the scenarios that are valid under both conditions for every model.
    """
    return _mean_slope(_weights(sizes, groups), [_differences(*gap) for gap in gaps], 2, z)


def _shares(counts: ScenarioCounts) -> Shares:
    return {name: Fraction(*pair) for name, pair in counts.items()}


def _differences(one: ScenarioCounts, two: ScenarioCounts) -> Shares:
    return {name: Fraction(*one[name]) - Fraction(*two[name]) for name in one if name in two}


def _weights(positions: Sequence[float], groups: Sequence[Hashable]) -> list[Fraction]:
    """Return the weights of a least-squares slope within groups; their sum in each group is 0."""
    exact = [Fraction(position).limit_denominator(MAX_DENOMINATOR) for position in positions]
    own: dict[Hashable, list[Fraction]] = {}
    for group, position in zip(groups, exact, strict=True):
        own.setdefault(group, []).append(position)
    means = {group: sum(values, Fraction(0)) / len(values) for group, values in own.items()}
    centred = [p - means[group] for group, p in zip(groups, exact, strict=True)]
    square = sum((p * p for p in centred), Fraction(0))
    return [p / square for p in centred]


def _mean_slope(
    weights: Sequence[Fraction], values: Sequence[Shares], span: int, z: float
) -> Slope | None:
    """Return the mean of the weighted sums over the shared scenarios; values have this span."""
    shared = [name for name in values[0] if all(name in each for each in values)]
    if len(shared) < MIN_PAIRS:
        return None
    slopes = [
        sum((w * each[name] for w, each in zip(weights, values, strict=True)), Fraction(0))
        for name in shared
    ]
    most = span * float(sum(w for w in weights if w > 0))
    own = [float(slope) for slope in slopes]
    low, high = mean_limits(own, most, z)
    return Slope(
        points=100 * sum(own) / len(own),
        low=100 * low,
        high=100 * high,
        p=sign_flip_p(slopes),
        scenarios=len(shared),
        up=sum(slope > 0 for slope in slopes),
        down=sum(slope < 0 for slope in slopes),
    )


def mean_limits(values: Sequence[float], most: float, z: float = Z95) -> tuple[float, float]:
    """Return the limits of the mean of values in [-most, most], 95 % by default.

    The means that `score_test` does not reject. Unlike Student's t interval it never has zero
    width. With differences of -1, 0 and 1 it is Tango's score interval for paired proportions
    (Statistics in Medicine 17, 1998, 891-908).
    """
    mean = sum(values) / len(values)
    low = _limit(values, most, (mean, -most), z)
    high = _limit(values, most, (mean, most), z)
    return low, high


def _limit(values: Sequence[float], most: float, ends: tuple[float, float], z: float) -> float:
    """Return the mean between a kept and a rejected end at which the score statistic is z."""
    inside, outside = ends
    if abs(score_test(values, outside * (1 - 1e-9), most)) <= z:
        return outside
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        if abs(score_test(values, middle, most)) <= z:
            inside = middle
        else:
            outside = middle
    return inside
