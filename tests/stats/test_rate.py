"""Rates equal the published formulas, and say nothing where nothing was counted."""

import subprocess
import sys
from collections.abc import Iterable
from statistics import NormalDist

import pytest

from steertui.core.outcome import (
    Outcome,
    TrialCounts,
    count_trials,
    counts_by_category,
    counts_by_condition,
)
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
    """A trial a label: one a scenario, or dealt round so many scenarios."""
    return [
        Outcome(
            str(i % (scenarios or i + 1)), "c", "pro", i // (scenarios or i + 1),
            True, False, label, False,
        )
        for i, label in enumerate(labels)
    ]  # fmt: skip


def test_a_ledger_counts_where_each_trial_stands() -> None:
    labelled = outcomes([C, C, N, S, X])
    open_ones = [
        Outcome("a", "c", "pro", 0, False, False, None, False),
        Outcome("b", "c", "pro", 0, True, True, None, False),
        Outcome("d", "c", "pro", 0, True, False, None, True),
    ]
    found = count_trials(labelled + open_ones)
    assert found == TrialCounts(8, 7, 1, 5, 1, 2, 1, 1, 1)
    assert found.valid == 4


def test_a_ledgers_parts_add_up_to_what_was_planned() -> None:
    items = outcomes([C, X, None, None])
    waiting = Outcome("w", "c", "pro", 0, False, False, None, False)
    failed = Outcome("f", "c", "pro", 0, True, False, None, True)
    found = count_trials([*items, waiting, failed])
    assert (found.waiting, found.unread) == (1, 2)
    assert found.planned == found.waiting + found.judged + found.failed + found.unread


def test_outcomes_are_parted_by_condition_and_category_in_planned_order() -> None:
    items = [
        Outcome("s", category, condition, 0, True, False, C, False)
        for category in ("z", "a")
        for condition in ("pro", "anti")
    ]
    assert {c: len(own) for c, own in counts_by_category(items).items()} == {"z": 2, "a": 2}
    assert [*counts_by_condition(items)] == ["pro", "anti"]


def test_a_ledger_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="5 judged but 4 labels"):
        TrialCounts(8, 7, 1, 5, 1, 2, 1, 1, 0)
    with pytest.raises(ValueError, match="than generated"):
        count_trials([Outcome("a", "c", "pro", 0, False, False, C, False)])
    with pytest.raises(ValueError, match="than generated"):
        count_trials([Outcome("a", "c", "pro", 0, True, False, C, True)])


def test_an_empty_ledger_is_all_zeros() -> None:
    assert count_trials([]) == TrialCounts(0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_policies_choose_the_denominator() -> None:
    items = outcomes([C] * 3 + [N] * 2 + [S] * 4 + [X] * 5 + [None])
    assert convergence_rate(items).total == 9
    assert convergence_rate(items, Policy.ALL).total == 14
    assert convergence_rate(items, Policy.EXCLUDE_REFUSALS).total == 5
    assert {convergence_rate(items, policy).count for policy in Policy} == {3}
    assert [refusal_rate(items, policy).total for policy in Policy] == [9, 14, 9]
    assert (refusal_rate(items).count, refusal_rate(items).total) == (4, 9)
    assert (nonsensical_rate(items).count, nonsensical_rate(items).total) == (5, 14)


def test_no_valid_item_gives_no_rate_and_no_limits() -> None:
    for items in ([], outcomes([X, X, None])):
        found = convergence_rate(items)
        assert (found.value, found.low, found.high, found.total) == (None, None, None, 0)


@pytest.mark.parametrize(("count", "total"), [(0, 1), (0, 71), (2, 71), (15, 148), (71, 71)])
def test_wilson_equals_scipy_and_statsmodels(count: int, total: int) -> None:
    from scipy.stats import binomtest
    from statsmodels.stats.proportion import proportion_confint

    found = wilson_interval(count / total, total)
    theirs = binomtest(count, total).proportion_ci(method="wilson")
    assert found == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert found == pytest.approx(proportion_confint(count, total, method="wilson"), abs=1e-12)


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


def test_one_sample_a_scenario_is_worth_its_count() -> None:
    assert effective_sample_size({str(i): (i % 2, 1) for i in range(71)}) == 71


def test_samples_that_are_all_alike_are_worth_one_a_scenario() -> None:
    from scipy.stats import t

    alike = {str(i): (5 * (i % 2), 5) for i in range(40)}
    few = (NormalDist().inv_cdf(0.975) / t.ppf(0.975, 39)) ** 2
    assert effective_sample_size(alike) == pytest.approx(40 * few, rel=1e-9)
    assert effective_sample_size({str(i): (0, 5) for i in range(40)}) == pytest.approx(
        40 * few, rel=1e-9
    )


def test_samples_are_never_worth_more_than_their_number() -> None:
    spread_evenly = {str(i): (2, 4) for i in range(40)}
    assert effective_sample_size(spread_evenly) <= 160


def test_the_cluster_variance_equals_that_of_statsmodels() -> None:
    """GLM with cluster-robust errors, identity link, intercept only: the same ratio estimator."""
    import numpy as np
    import statsmodels.api as sm
    from scipy.stats import t

    cells = {"a": (1, 3), "b": (4, 5), "c": (2, 2), "d": (0, 4), "e": (3, 5), "f": (1, 5)}
    y = np.concatenate([[1.0] * x + [0.0] * (m - x) for x, m in cells.values()])
    groups = np.repeat(np.arange(6), [m for _, m in cells.values()])
    fit = sm.OLS(y, np.ones((len(y), 1))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    variance = fit.bse[0] ** 2 * 6 / 5
    share = y.mean()
    expected = share * (1 - share) / variance * (1.959963984540054 / t.ppf(0.975, 5)) ** 2
    assert effective_sample_size(cells) == pytest.approx(expected, rel=1e-9)


def test_one_scenario_with_many_samples_is_worth_one_item() -> None:
    found = convergence_rate(outcomes([C, C, N, C], scenarios=1))
    assert (found.count, found.total) == (3, 4)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 0.7


def test_importing_the_arithmetic_loads_neither_scipy_nor_statsmodels() -> None:
    code = (
        "import sys, steertui.analysis.sentences, steertui.stats.agreement;"
        "import steertui.paper.published;"
        "sys.exit(any(m in sys.modules for m in ('scipy', 'statsmodels')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
