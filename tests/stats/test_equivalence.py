"""Equivalence: Tango's score test where it applies, and few discordant scenarios are no proof."""

from math import sqrt

import numpy as np
import pytest

from steertui.stats.equivalence import is_equivalent, score_test


def tango(more: int, less: int, size: int, mean: float) -> float:
    """Return Tango's closed form (Statistics in Medicine 17, 1998, equations 11 and 12)."""
    a, c = 2 * size, -less * mean * (1 - mean)
    b = -more - less + (2 * size - more + less) * mean
    q = (sqrt(b * b - 4 * a * c) - b) / (2 * a)
    return (more - less - size * mean) / sqrt(size * (2 * q + mean * (1 - mean)))


def pairs(more: int, less: int, size: int) -> list[float]:
    return [1.0] * more + [-1.0] * less + [0.0] * (size - more - less)


@pytest.mark.parametrize("mean", [-0.1, 0.05, 0.1])
def test_with_one_sample_a_scenario_it_is_tangos_score_statistic(mean: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        size = int(rng.integers(5, 120))
        more = int(rng.integers(0, size + 1))
        less = int(rng.integers(0, size - more + 1))
        expected = tango(more, less, size, mean)
        assert score_test(pairs(more, less, size), mean, 1.0) == pytest.approx(expected, abs=1e-9)


def test_the_spread_is_the_likeliest_distributions_of_that_mean() -> None:
    # Worked by hand: 10 scenarios at 0, mean 0.1. The likeliest has 0.1 at the only place that
    # lifts it, +1, and 0.9 at 0: variance 0.09, standard error sqrt(0.009).
    assert score_test([0.0] * 10, 0.1, 1.0) == pytest.approx(-0.1 / sqrt(0.009), rel=1e-9)
    # Where a scenario can differ by 2 (gaps), 0.05 at 2: variance 0.19.
    assert score_test([0.0] * 10, 0.1, 2.0) == pytest.approx(-0.1 / sqrt(0.019), rel=1e-9)


def test_equal_items_of_few_scenarios_prove_nothing() -> None:
    assert not is_equivalent([0.0] * 11, 0.1, 1.0)
    assert not is_equivalent([], 0.1, 1.0)
    assert is_equivalent([0.0] * 71, 0.1, 1.0)


def test_it_is_said_of_at_most_5_percent_of_runs_that_are_off_by_the_margin() -> None:
    rng = np.random.default_rng(8)
    for samples, chances in ((1, (0.13, 0.03)), (1, (0.1, 0.0)), (5, (0.13, 0.03))):
        said = 0
        for _ in range(1000):
            drawn = rng.choice([1, -1, 0], (71, samples), p=[*chances, 1 - sum(chances)])
            said += is_equivalent(drawn.mean(axis=1).tolist(), 0.1, 1.0)
        assert said <= 65  # 5 %, and two standard errors


def test_the_order_of_scenarios_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    some = rng.choice([1.0, -1.0, 0.0, 0.2, -0.4], 71).tolist()
    assert score_test(some, 0.1, 1.0) == pytest.approx(score_test(some[::-1], 0.1, 1.0), abs=1e-12)
    assert score_test([-d for d in some], -0.1, 1.0) == pytest.approx(
        -score_test(some, 0.1, 1.0), abs=1e-9
    )
