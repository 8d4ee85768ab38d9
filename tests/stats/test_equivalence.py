"""Equivalence tests: equal to Tango's score test; few scenarios do not show equivalence."""

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
def test_score_statistic_equals_tango_with_one_sample_per_scenario(mean: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        size = int(rng.integers(5, 120))
        more = int(rng.integers(0, size + 1))
        less = int(rng.integers(0, size - more + 1))
        expected = tango(more, less, size, mean)
        assert score_test(pairs(more, less, size), mean, 1.0) == pytest.approx(expected, abs=1e-9)


def test_standard_error_is_that_of_the_restricted_maximum_likelihood() -> None:
    # By hand: 10 scenarios at 0, mean 0.1. The maximum likelihood distribution has weight 0.1 at
    # +1, the only value that raises the mean, and 0.9 at 0: variance 0.09, error sqrt(0.009).
    assert score_test([0.0] * 10, 0.1, 1.0) == pytest.approx(-0.1 / sqrt(0.009), rel=1e-9)
    # If a scenario can differ by 2 (gaps), the weight is 0.05 at 2: variance 0.19.
    assert score_test([0.0] * 10, 0.1, 2.0) == pytest.approx(-0.1 / sqrt(0.019), rel=1e-9)


def test_few_scenarios_without_differences_are_not_equivalent() -> None:
    assert not is_equivalent([0.0] * 11, 0.1, 1.0)
    assert not is_equivalent([], 0.1, 1.0)
    assert is_equivalent([0.0] * 71, 0.1, 1.0)


def test_false_positive_rate_at_the_margin_is_at_most_5_percent() -> None:
    rng = np.random.default_rng(8)
    for samples, chances in ((1, (0.13, 0.03)), (1, (0.1, 0.0)), (5, (0.13, 0.03))):
        positives = 0
        for _ in range(1000):
            drawn = rng.choice([1, -1, 0], (71, samples), p=[*chances, 1 - sum(chances)])
            positives += is_equivalent(drawn.mean(axis=1).tolist(), 0.1, 1.0)
        assert positives <= 65  # 5 % plus two standard errors


def test_the_statistic_does_not_depend_on_the_order_and_is_antisymmetric() -> None:
    rng = np.random.default_rng(2)
    differences = rng.choice([1.0, -1.0, 0.0, 0.2, -0.4], 71).tolist()
    assert score_test(differences, 0.1, 1.0) == pytest.approx(
        score_test(differences[::-1], 0.1, 1.0), abs=1e-12
    )
    assert score_test([-d for d in differences], -0.1, 1.0) == pytest.approx(
        -score_test(differences, 0.1, 1.0), abs=1e-9
    )
