"""Simultaneous intervals: level of the limits, agreement with the corrected test."""

import random

import pytest

from steertui.stats.gap import gap_estimate, paired_gap
from steertui.stats.rate import (
    Z95,
    Estimate,
    ScenarioCounts,
    effective_sample_size,
    pooled_rate,
    wilson_interval,
)
from steertui.stats.significance import holm, normal_quantile
from steertui.stats.simultaneous import agreeing_limits, simultaneous_level


def random_side(rng: random.Random, rate: float, samples: int = 1) -> ScenarioCounts:
    return {str(i): (sum(rng.random() < rate for _ in range(samples)), samples) for i in range(40)}


def test_students_quantile_has_the_level_of_the_limits() -> None:
    from scipy.stats import t

    counts = random_side(random.Random(5), 0.5, samples=4)
    z = normal_quantile(0.05 / 6)
    ratio = effective_sample_size(counts, z) / effective_sample_size(counts)
    expected = (z / t.ppf(1 - 0.05 / 12, 39)) ** 2 / (Z95 / t.ppf(0.975, 39)) ** 2
    assert ratio == pytest.approx(expected, rel=1e-9)
    rate = pooled_rate(counts, z)
    assert rate.value is not None
    size = effective_sample_size(counts, z)
    assert (rate.low, rate.high) == pytest.approx(wilson_interval(rate.value, size, z))


@pytest.mark.parametrize("samples", [1, 3])
def test_limits_exclude_0_exactly_where_the_corrected_test_shows_a_difference(samples: int) -> None:
    rng = random.Random(samples)
    shown = 0
    for _ in range(100):
        sides = [random_side(rng, rng.choice((0.05, 0.3, 0.6)), samples) for _ in range(4)]
        pairs = [(sides[0], other) for other in sides[1:]]
        p_values = [paired_gap(*pair, "a", "b").p or 0.0 for pair in pairs]
        level = simultaneous_level(len(pairs))
        for pair, p in zip(pairs, holm(p_values), strict=True):
            is_shown = p <= 0.05
            estimate = gap_estimate(pair, normal_quantile(level))
            assert estimate is not None
            sign = (estimate.value > 0) - (estimate.value < 0)
            limits = agreeing_limits(estimate, is_shown=is_shown, direction=sign)
            assert limits.low <= limits.value <= limits.high
            includes_zero = limits.low <= 0 <= limits.high
            is_open = is_shown and 0 in (limits.low, limits.high)
            assert (includes_zero and not is_open) is not is_shown
            shown += is_shown
    assert 30 < shown < 270


def test_the_limits_end_at_0_or_are_extended_to_it() -> None:
    across, above = Estimate(4.0, -1.0, 9.0), Estimate(4.0, 1.0, 9.0)
    assert agreeing_limits(across, is_shown=True, direction=1) == (4.0, 0.0, 9.0)
    assert agreeing_limits(above, is_shown=True, direction=7) == above
    assert agreeing_limits(across, is_shown=False, direction=1) == across
    assert agreeing_limits(above, is_shown=False, direction=1) == (4.0, 0.0, 9.0)
    below = Estimate(-4.0, -9.0, 1.0)
    assert agreeing_limits(below, is_shown=True, direction=-2) == (-4.0, -9.0, 0.0)
    negative = Estimate(-4.0, -9.0, -1.0)
    assert agreeing_limits(negative, is_shown=False, direction=-1) == (-4.0, -9.0, 0.0)


@pytest.mark.parametrize("direction", [0, -3])
def test_limits_stay_if_rates_and_pairs_have_different_directions(direction: int) -> None:
    across = Estimate(4.0, -1.0, 9.0)
    assert agreeing_limits(across, is_shown=True, direction=direction) == across
