"""Rates: Wilson interval, effective sample size, denominators by policy."""

import subprocess
import sys
from collections.abc import Iterable
from statistics import NormalDist

import pytest

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.rate import (
    Policy,
    convergence_rate,
    effective_sample_size,
    nonsensical_rate,
    refusal_rate,
    wilson_interval,
)

C, N, S, X = Label


def outcomes(labels: Iterable[Label | None], scenarios: int | None = None) -> list[Outcome]:
    """Return one outcome per label: one per scenario, or dealt to `scenarios` in turn."""
    return [
        Outcome(
            scenario=str(i % (scenarios or i + 1)),
            category="c",
            condition="pro",
            sample=i // (scenarios or i + 1),
            generated=True,
            truncated=False,
            label=label,
            failed=False,
        )
        for i, label in enumerate(labels)
    ]


def test_the_policy_sets_the_denominator() -> None:
    items = outcomes([C] * 3 + [N] * 2 + [S] * 4 + [X] * 5 + [None])
    assert convergence_rate(items).total == 9
    assert convergence_rate(items, Policy.ALL).total == 14
    assert convergence_rate(items, Policy.EXCLUDE_REFUSALS).total == 5
    assert {convergence_rate(items, policy).count for policy in Policy} == {3}
    assert [refusal_rate(items, policy).total for policy in Policy] == [9, 14, 9]
    assert (refusal_rate(items).count, refusal_rate(items).total) == (4, 9)
    assert (nonsensical_rate(items).count, nonsensical_rate(items).total) == (5, 14)


def test_a_rate_without_valid_items_is_undefined() -> None:
    for items in ([], outcomes([X, X, None])):
        result = convergence_rate(items)
        assert (result.value, result.low, result.high, result.total) == (None, None, None, 0)


@pytest.mark.parametrize(("count", "total"), [(0, 1), (0, 71), (2, 71), (15, 148), (71, 71)])
def test_wilson_equals_scipy_and_statsmodels(count: int, total: int) -> None:
    from scipy.stats import binomtest
    from statsmodels.stats.proportion import proportion_confint

    result = wilson_interval(count / total, total)
    reference = binomtest(count, total).proportion_ci(method="wilson")
    assert result == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert result == pytest.approx(proportion_confint(count, total, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_equals_newcombes_published_table(
    count: int, total: int, low: float, high: float
) -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 857-872, table I, method 3."""
    assert wilson_interval(count / total, total) == pytest.approx((low, high), abs=5e-5)


def test_effective_size_with_one_sample_per_scenario_is_the_count() -> None:
    assert effective_sample_size({str(i): (i % 2, 1) for i in range(71)}) == 71


def test_identical_samples_count_once_per_scenario() -> None:
    from scipy.stats import t

    identical = {str(i): (5 * (i % 2), 5) for i in range(40)}
    few = (NormalDist().inv_cdf(0.975) / t.ppf(0.975, 39)) ** 2
    assert effective_sample_size(identical) == pytest.approx(40 * few, rel=1e-9)
    assert effective_sample_size({str(i): (0, 5) for i in range(40)}) == pytest.approx(
        40 * few, rel=1e-9
    )


def test_effective_size_is_at_most_the_number_of_samples() -> None:
    spread_evenly = {str(i): (2, 4) for i in range(40)}
    assert effective_sample_size(spread_evenly) <= 160


def test_cluster_variance_equals_statsmodels() -> None:
    """GLM with cluster-robust errors, identity link, intercept only: the same ratio estimator."""
    import numpy as np
    import statsmodels.api as sm
    from scipy.stats import t

    counts = {"a": (1, 3), "b": (4, 5), "c": (2, 2), "d": (0, 4), "e": (3, 5), "f": (1, 5)}
    y = np.concatenate([[1.0] * x + [0.0] * (m - x) for x, m in counts.values()])
    groups = np.repeat(np.arange(6), [m for _, m in counts.values()])
    fit = sm.OLS(y, np.ones((len(y), 1))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    variance = fit.bse[0] ** 2 * 6 / 5
    share = y.mean()
    expected = share * (1 - share) / variance * (1.959963984540054 / t.ppf(0.975, 5)) ** 2
    assert effective_sample_size(counts) == pytest.approx(expected, rel=1e-9)


def test_one_scenario_with_several_samples_counts_as_one_item() -> None:
    result = convergence_rate(outcomes([C, C, N, C], scenarios=1))
    assert (result.count, result.total) == (3, 4)
    assert result.low is not None
    assert result.high is not None
    assert result.high - result.low > 0.7


def test_importing_statistics_loads_neither_scipy_nor_statsmodels() -> None:
    code = (
        "import sys, steertui.analysis.sentences, steertui.stats.agreement;"
        "import steertui.paper.published;"
        "sys.exit(any(m in sys.modules for m in ('scipy', 'statsmodels')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
