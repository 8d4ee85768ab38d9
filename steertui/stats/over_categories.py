"""Between-category interval of a gap: generalisation to other categories of the same kind."""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

from steertui.stats.gap import gap_estimate, linearised_residuals, shared_scenarios
from steertui.stats.rate import ScenarioCounts, pooled_rate
from steertui.stats.simultaneous import MIN_PAIRS


class CategoryLimits(NamedTuple):
    """95 % limits of a gap over categories, percentage points.

    Attributes:
        low: lower limit.
        high: upper limit.
        categories: number of categories with a scenario valid on both sides.
    """

    low: float
    high: float
    categories: int


def limits_over_categories(
    one: ScenarioCounts, two: ScenarioCounts, category: Mapping[str, str]
) -> CategoryLimits | None:
    """Return the gap's 95 % limits over categories, in percentage points.

    `category` gives each scenario's category. Student's t on the linearised variance between
    categories (Cochran, Sampling Techniques, 3rd ed., section 6.3), with one degree of freedom
    fewer than categories. Other categories come with other scenarios, so the limits are never
    inside those over scenarios (`gap_estimate`): a small variance between few categories is chance.
    There is no bootstrap: over six categories it covers the true gap in 86 % instead of 95 % of
    experiments (benchmarks/COVERAGE.md). Only categories with a scenario valid on both sides count.
    Return None with fewer than `MIN_PAIRS` of them, which show no variance between categories.
    """
    over_scenarios = gap_estimate((one, two))
    a = pooled_rate(one)
    b = pooled_rate(two)
    if over_scenarios is None:
        return None
    residuals: dict[str, float] = {}
    for side, weight in ((one, 1 / a.total), (two, -1 / b.total)):
        for name, residual in linearised_residuals(side).items():
            key = category[name]
            residuals[key] = residuals.get(key, 0.0) + weight * residual
    clusters = len({category[name] for name in shared_scenarios(one, two)[0]})
    squares = sum(residual * residual for residual in residuals.values())
    if clusters < MIN_PAIRS:
        return None
    from scipy.special import stdtrit

    error = sqrt(squares * clusters / (clusters - 1))
    half_width = 100 * float(stdtrit(clusters - 1, 0.975)) * error
    low = min(over_scenarios.low, over_scenarios.value - half_width)
    high = max(over_scenarios.high, over_scenarios.value + half_width)
    return CategoryLimits(max(-100.0, low), min(100.0, high), clusters)
