"""Pooled contrasts: averaging within scenario, exact test by enumeration, GEE as a check."""

import itertools
import random

import numpy as np
import pytest

from steertui.stats.gap import GapCounts, paired_gap
from steertui.stats.pooled import pooled_contrast, pooled_counts, pooled_difference


def random_gap(rng: random.Random, rates: tuple[float, float], scenarios: int = 12) -> GapCounts:
    one, two = ({str(i): (int(rng.random() < rate), 1) for i in range(scenarios)} for rate in rates)
    return one, two


def test_one_model_is_its_own_pool() -> None:
    gap = random_gap(random.Random(1), (0.7, 0.2))
    assert pooled_contrast([gap], "pro", "anti").gap == paired_gap(*gap, "pro", "anti")


def test_a_model_counts_only_where_both_conditions_are_valid() -> None:
    first = {"a": (1, 1), "b": (1, 1)}, {"a": (0, 1)}
    second = {"a": (0, 1), "b": (1, 1)}, {"a": (0, 1), "b": (0, 1)}
    assert pooled_counts([first, second]) == (
        {"a": (1, 2), "b": (1, 1)},
        {"a": (0, 2), "b": (0, 1)},
    )


def test_p_value_enumerates_the_signs_of_whole_scenarios() -> None:
    rng = random.Random(4)
    gaps = [random_gap(rng, (0.6, 0.3)) for _ in range(3)]
    result = pooled_contrast(gaps, "pro", "anti").gap
    sums = [sum(one[s][0] - two[s][0] for one, two in gaps) for s in gaps[0][0]]
    assert result.points == pytest.approx(100 * sum(sums) / 36)
    totals = [
        abs(sum(sign * value for sign, value in zip(signs, sums, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(sums))
    ]
    expected = sum(total >= abs(sum(sums)) for total in totals) / len(totals)
    assert result.p == pytest.approx(expected, rel=1e-9)


def test_equal_groups_do_not_differ_and_swapped_groups_are_mirrored() -> None:
    rng = random.Random(9)
    small = [random_gap(rng, (0.6, 0.3), 40) for _ in range(2)]
    large = [random_gap(rng, (0.9, 0.1), 40) for _ in range(2)]
    assert pooled_difference(small, small, "a", "b").p == 1.0
    there = pooled_difference(large, small, "large", "small")
    back = pooled_difference(small, large, "small", "large")
    assert there.points == pytest.approx(-(back.points or 0))
    assert there.p == back.p
    assert (there.p or 1) < 0.05


def test_generalised_estimating_equations_agree() -> None:
    """A logistic GEE with scenarios as clusters has nearly the same z value and direction."""
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    rng = np.random.default_rng(3)
    trait = rng.normal(0, 0.8, (80, 1, 1))
    logit = trait + np.array([[[0.5], [-0.6]]]) + np.zeros((1, 1, 4))
    hits = rng.random(logit.shape) < 1 / (1 + np.exp(-logit))
    gaps = [
        tuple({str(i): (int(x), 1) for i, x in enumerate(hits[:, c, m])} for c in (0, 1))
        for m in range(4)
    ]
    result = pooled_contrast([(one, two) for one, two in gaps], "pro", "anti").gap
    is_pro = np.broadcast_to(np.array([1.0, 0.0])[None, :, None], hits.shape)
    design = np.column_stack([np.ones(hits.size), is_pro.ravel()])
    groups = np.repeat(np.arange(80), 8)
    fit = GEE(
        hits.ravel().astype(float), design, groups, family=Binomial(), cov_struct=Exchangeable()
    ).fit()
    shares = 1 / (1 + np.exp(-np.array([fit.params.sum(), fit.params[0]])))
    assert result.points == pytest.approx(100 * (shares[0] - shares[1]), abs=0.2)
    assert result.low is not None
    assert result.high is not None
    half = (result.high - result.low) / 2
    assert (result.points or 0) / (half / 1.96) == pytest.approx(fit.tvalues[1], rel=0.1)
