"""Slopes over a dose: against numpy, enumeration, and the score interval's known values."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from steertui.stats.gap_difference import gap_difference
from steertui.stats.sign_flips import sign_flip_p
from steertui.stats.slope import Slope, gap_slope, mean_limits, mean_slope, rate_slope

DOSES = (-0.4, 0.0, 0.1, 0.8)


def one_sample(rows: list[list[int]]) -> list[dict[str, tuple[int, int]]]:
    """Return the counts by dose of scenarios with one sample each."""
    return [{str(i): (row[k], 1) for i, row in enumerate(rows)} for k in range(len(rows[0]))]


def test_the_mean_slope_is_that_of_least_squares_lines() -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 2, (20, len(DOSES))).tolist()
    slope = mean_slope(DOSES, one_sample(rows))
    assert slope
    expected = [np.polyfit(DOSES, row, 1)[0] for row in rows]
    assert slope.points == pytest.approx(100 * np.mean(expected))
    assert slope.up == sum(value > 1e-9 for value in expected)
    assert slope.down == sum(value < -1e-9 for value in expected)
    assert slope.low < slope.points < slope.high


def test_the_p_value_is_that_of_all_sign_assignments() -> None:
    values = [Fraction(3, 10), Fraction(1, 7), Fraction(-1, 5), Fraction(1, 2), Fraction(0)]
    observed = abs(sum(values))
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in product((1, -1), repeat=5)
    ]
    expected = sum(float(value) >= float(observed) for value in sums) / 32
    assert sign_flip_p(values) == pytest.approx(expected)


def test_differences_without_a_small_common_step_are_tested_by_chance() -> None:
    rng = np.random.default_rng(2)
    values = [Fraction(float(v)).limit_denominator(10**9) for v in rng.normal(0.4, 1, 12)]
    sums = [
        abs(sum(s * float(v) for s, v in zip(signs, values, strict=True)))
        for signs in product((1, -1), repeat=12)
    ]
    exact = sum(s >= abs(float(sum(values))) * (1 - 1e-12) for s in sums) / 2**12
    assert sign_flip_p(values) == pytest.approx(exact, abs=0.006)
    assert sign_flip_p(values) == sign_flip_p(values)


def test_scenarios_without_a_valid_answer_at_some_dose_are_left_out() -> None:
    counts = one_sample([[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    del counts[3]["1"]
    slope = mean_slope(DOSES, counts)
    assert slope
    assert (slope.scenarios, slope.up, slope.down) == (4, 1, 0)
    del counts[3]["2"]
    assert mean_slope(DOSES, counts) is None


def test_limits_agree_with_the_test() -> None:
    """Five of five scenarios rise: p = 0.0625, and the score limit is above 0."""
    five = mean_slope((0.0, 1.0), one_sample([[0, 1]] * 5))
    assert five
    assert five.p == 0.0625
    assert mean_limits([1.0] * 5, 1.0)[0] > 0
    assert (five.low, five.points, five.high) == (0.0, 100.0, 100.0)
    six = mean_slope((0.0, 1.0), one_sample([[0, 1]] * 6))
    assert six
    assert six.low > 0
    assert six.agreeing(0.2).low == 0.0
    across = Slope(10.0, -1.0, 20.0, 0.04, scenarios=9, up=6, down=1)
    assert across.agreeing(0.04).low == 0.0
    assert across.agreeing(0.06) == across


def test_the_share_against_the_mean_slope_has_an_interval() -> None:
    rows = [[0, 0, 1, 1]] * 6 + [[1, 1, 0, 0]] * 2 + [[0, 0, 0, 0]] * 2
    slope = mean_slope(DOSES, one_sample(rows))
    assert slope
    opposite = slope.opposite
    assert (opposite.count, opposite.total) == (2, 10)
    assert opposite.low == pytest.approx(0.0567, abs=1e-4)  # Wilson's interval of 2 of 10


def test_slopes_over_sizes_are_those_within_groups() -> None:
    """Least squares with a mean of its own for each group of models (numpy)."""
    rng = np.random.default_rng(4)
    sizes, groups = (0.0, 1.0, 3.0, 2.0, 5.0), "aaabb"
    hits = rng.integers(0, 2, (2, 5, 30))
    pro, anti = (one_sample(side.T.tolist()) for side in hits)
    design = [[size, group == "a", group == "b"] for size, group in zip(sizes, groups, strict=True)]
    fits = [np.linalg.lstsq(np.array(design, float), y, rcond=None)[0][0] for y in hits]
    rate = rate_slope(sizes, pro, groups)
    assert rate
    assert rate.points == pytest.approx(100 * fits[0].mean())
    gap = gap_slope(sizes, [*zip(pro, anti, strict=True)], groups)
    assert gap
    assert gap.points == pytest.approx(100 * (fits[0] - fits[1]).mean())
    assert gap.low < gap.points < gap.high
    wide = gap_slope(sizes, [*zip(pro, anti, strict=True)], groups, z=3.0)
    assert wide
    assert wide.low < gap.low


def test_two_sizes_give_the_difference_of_two_gaps_per_doubling() -> None:
    rng = np.random.default_rng(5)
    small, large = (tuple(one_sample(rng.integers(0, 2, (20, 2)).tolist())) for _ in range(2))
    slope = gap_slope((1.0, 4.0), [(small[0], small[1]), (large[0], large[1])], "aa")
    difference = gap_difference((large[0], large[1]), (small[0], small[1]), "large", "small")
    assert slope
    assert difference.points is not None
    assert slope.points == pytest.approx(difference.points / 3)
    assert slope.p == pytest.approx(difference.p)


def test_limits_of_differences_are_tangos() -> None:
    # Tango (1998), table I: 44 pairs, 0 against 1 discordant.
    assert mean_limits([-1.0] + [0.0] * 43, 1.0) == pytest.approx((-0.1184, 0.0597), abs=2e-3)


def test_limits_have_a_width_if_no_scenario_moves() -> None:
    low, high = mean_limits([0.0] * 30, 1.0)
    assert low == pytest.approx(-high)
    assert 0.05 < high < 0.2
