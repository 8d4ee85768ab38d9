"""Matched odds ratio and Bayesian posterior: published values, scipy, simulation."""

from math import inf

import numpy as np
import pytest

from steertui.stats.gap import paired_gap
from steertui.stats.matched_pairs import (
    PairedCells,
    matched_odds_ratio,
    paired_cells,
    paired_posterior,
)


def test_cells_count_shared_scenarios() -> None:
    one = {"a": (1, 1), "b": (1, 1), "c": (0, 1), "d": (0, 1), "e": (1, 1)}
    two = {"a": (1, 1), "b": (0, 1), "c": (1, 1), "d": (0, 1), "x": (1, 1)}
    assert paired_cells(one, two) == PairedCells(1, 1, 1, 1)
    assert paired_cells(one, {"x": (1, 1)}) is None
    assert paired_cells({"a": (3, 5)}, {"a": (1, 5)}) is None


def test_odds_ratio_equals_the_published_example() -> None:
    """Fay, R Journal 2(1), 2010, 53-58: exact McNemar test with central interval, 2 against 9."""
    result = matched_odds_ratio(2, 9)
    assert result is not None
    assert result == pytest.approx((2 / 9, 0.02336464, 1.07363844), abs=1e-8)


@pytest.mark.parametrize(("first", "second"), [(27, 5), (6, 0), (5, 0), (0, 8), (9, 2), (40, 38)])
def test_odds_ratio_excludes_1_exactly_if_mcnemars_test_is_significant(
    first: int, second: int
) -> None:
    from scipy.stats import binomtest

    result = matched_odds_ratio(first, second)
    assert result is not None
    reference = binomtest(first, first + second)
    limits = reference.proportion_ci(method="exact")
    low, high = (p / (1 - p) if p < 1 else inf for p in limits)
    assert (result.low, result.high) == pytest.approx((low, high), rel=1e-9)
    assert (result.low > 1 or result.high < 1) is bool(reference.pvalue <= 0.05)


def test_odds_ratio_without_movers_is_undefined() -> None:
    assert matched_odds_ratio(0, 0) is None
    share = 0.025 ** (1 / 3)
    assert matched_odds_ratio(3, 0) == pytest.approx((inf, share / (1 - share), inf), rel=1e-9)


@pytest.mark.parametrize("cells", [(3, 5, 1, 2), (0, 11, 0, 0), (0, 0, 0, 0), (20, 10, 6, 35)])
def test_posterior_equals_draws_from_the_dirichlet_distribution(
    cells: tuple[int, int, int, int],
) -> None:
    posterior = paired_posterior(PairedCells(*cells))
    draws = np.random.default_rng(1).dirichlet(np.array(cells) + 0.5, 400_000)
    gap = 100 * (draws[:, 1] - draws[:, 2])
    assert posterior.above_zero == pytest.approx((gap > 0).mean(), abs=4e-3)
    assert posterior.gap == pytest.approx(np.quantile(gap, [0.5, 0.025, 0.975]), abs=0.5)


def test_posterior_limits_equal_scipys_quadrature() -> None:
    from scipy.integrate import quad
    from scipy.stats import beta

    posterior = paired_posterior(PairedCells(2, 6, 1, 2))

    def share_below(value: float) -> float:
        def inner(psi: float) -> float:
            pi = min(1.0, max(0.0, (1 + value / psi) / 2))
            return float(beta.pdf(psi, 8, 5) * beta.cdf(pi, 6.5, 1.5))

        return float(quad(inner, 1e-9, 1, points=[abs(value)], epsabs=1e-12)[0])

    assert share_below(posterior.gap.low / 100) == pytest.approx(0.025, abs=1e-4)
    assert share_below(posterior.gap.value / 100) == pytest.approx(0.5, abs=1e-4)
    assert share_below(posterior.gap.high / 100) == pytest.approx(0.975, abs=1e-4)
    assert posterior.above_zero == pytest.approx(beta.sf(0.5, 6.5, 1.5), abs=1e-12)


def test_swapping_the_conditions_mirrors_the_posterior() -> None:
    there, back = (paired_posterior(PairedCells(3, *movers, 4)) for movers in ((5, 1), (1, 5)))
    assert there.above_zero == pytest.approx(1 - back.above_zero, abs=1e-12)
    assert there.gap == pytest.approx((-back.gap.value, -back.gap.high, -back.gap.low), abs=1e-6)


def test_a_category_of_eleven_scenarios_speaks_where_the_exact_test_cannot() -> None:
    one = {str(i): (int(i < 5), 1) for i in range(11)}
    two = {str(i): (0, 1) for i in range(11)}
    cells = paired_cells(one, two)
    assert cells is not None
    assert paired_gap(one, two, "pro", "anti").p == pytest.approx(0.0625)
    assert paired_posterior(cells).above_zero > 0.99
