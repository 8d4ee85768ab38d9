"""Slope of convergence over a dose, per scenario: mean, interval, exact test."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from steertui.stats.equivalence import score_test
from steertui.stats.rate import Z95, Rate, ScenarioCounts, wilson_interval
from steertui.stats.sign_flips import sign_flip_p

BISECTIONS = 30
"""Bisection steps for a limit of the interval."""

MAX_DENOMINATOR = 1_000_000
"""Largest denominator of a dose as a fraction."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Mean over scenarios of the least-squares slope of convergence over the dose.

    Attributes:
        points: percentage points per unit of dose.
        low: lower 95 % limit, in the same unit.
        high: upper 95 % limit.
        p: two-sided p value (`sign_flip_p`).
        scenarios: those with a valid answer at every dose, over which it is computed.
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

    @property
    def opposite(self) -> Rate:
        """Share of scenarios that move against the mean slope, with its 95 % interval."""
        count = self.down if self.points > 0 else self.up
        low, high = wilson_interval(count / self.scenarios, self.scenarios)
        return Rate(count, self.scenarios, low, high)


def mean_slope(doses: Sequence[float], counts: Sequence[ScenarioCounts]) -> Slope | None:
    """Return the mean slope over the scenarios that are valid at every dose; None without any.

    Args:
        doses: distinct doses.
        counts: by dose.

    Each scenario's slope is that of a least-squares line through its shares of convergence. Limits:
    `mean_limits`. Test: `sign_flip_p`, since scenarios may move in different directions, which
    tests that pool the counts of each dose ignore (Cochran-Armitage).
    """
    exact = [Fraction(dose).limit_denominator(MAX_DENOMINATOR) for dose in doses]
    mean = sum(exact, Fraction(0)) / len(exact)
    square = sum(((dose - mean) ** 2 for dose in exact), Fraction(0))
    shared = [name for name in counts[0] if all(name in each for each in counts)]
    if not shared:
        return None
    weights = [(dose - mean) / square for dose in exact]
    slopes = [
        sum(
            (w * Fraction(*each[name]) for w, each in zip(weights, counts, strict=True)),
            Fraction(0),
        )
        for name in shared
    ]
    most = float(sum(w for w in weights if w > 0))
    values = [float(slope) for slope in slopes]
    low, high = mean_limits(values, most)
    return Slope(
        points=100 * sum(values) / len(values),
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
