"""Agreement of the limits of a family's gaps with its tests: 0 is excluded where p <= 0.05."""

from steertui.stats.rate import Estimate
from steertui.stats.significance import SIGNIFICANCE_LEVEL

MIN_PAIRS = 4
"""Scenarios or categories with a pair below which no interval of their gap is given: fewer show
next to nothing of the variance between them."""


def simultaneous_level(tests: int) -> float:
    """Return the significance level of each of `tests` intervals that hold at once with 95 %.

    Bonferroni's: 0.05 / tests, the same for all comparisons of a family.
    """
    return SIGNIFICANCE_LEVEL / tests


def agreeing_limits(estimate: Estimate, *, is_shown: bool, direction: int) -> Estimate:
    """Return the estimate with limits that agree with its test.

    `estimate` has limits at `simultaneous_level`. `is_shown` says whether the test shows a
    difference after Holm's correction. The sign of `direction` is that of the tested pairs.

    If no difference is shown, the interval is extended to include 0; it then covers at least as
    often. If one is shown, the interval ends at 0 where it would go beyond, and 0 itself is
    excluded: the exact test has excluded 0 and what is beyond (Hayter and Hsu, JASA 89, 1994,
    128-136, compatible confidence regions of stepwise tests). If the pairs have another direction
    than the value, the limits stay. A limit of exactly 0 is always one that the test has set: it
    says on which side of 0 the limit is, not where. Measured simultaneous coverage:
    benchmarks/COVERAGE.md.
    """
    value, low, high = estimate
    if not is_shown:
        return Estimate(value, min(low, 0.0), max(high, 0.0))
    if direction * value <= 0:
        return estimate
    if value > 0:
        return Estimate(value, max(low, 0.0), high)
    return Estimate(value, low, min(high, 0.0))
