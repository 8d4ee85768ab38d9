"""Agreement of the limits of a family's gaps with its tests: 0 is excluded where p <= 0.05."""

from steertui.stats.rate import Estimate


def agreeing_limits(estimate: Estimate, direction: int) -> Estimate:
    """Return the estimate with limits that agree with its test.

    `direction` is what the test shows after its correction: 1 if the value is above 0, -1 if it is
    below, 0 if no difference is shown. The estimate has the limits of the level at which the test
    is made, 1 - 0.05 / (number of comparisons that Holm's procedure has not decided yet).

    If no difference is shown, the interval is extended to include 0; it then covers at least as
    often. If the test shows a direction that is not that of the value, the limits stay. Otherwise
    the interval ends at 0 where it would go beyond, and 0 itself is
    excluded: the exact test has excluded 0 and what is beyond (Hayter and Hsu, JASA 89, 1994,
    128-136, compatible confidence regions of stepwise tests). Measured simultaneous coverage:
    benchmarks/COVERAGE.md.
    """
    value, low, high = estimate
    if direction == 0:
        return Estimate(value, min(low, 0.0), max(high, 0.0))
    if direction * value < 0:
        return estimate
    if direction > 0:
        return Estimate(value, max(low, 0.0), high)
    return Estimate(value, low, min(high, 0.0))
