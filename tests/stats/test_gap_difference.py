"""Differences of gaps: exact test, intervals, sentences, between-category intervals."""

import itertools
import random

import pytest

from steertui.analysis.sentences import difference_result, gap_result
from steertui.core.verdict import Label
from steertui.paper.published import CONDITIONS
from steertui.paper.run_log import read_log
from steertui.stats.families import (
    PRIMARY,
    Contrast,
    FamilyTest,
    family_tests,
    gap_contrast,
    headline_contrast,
    headline_difference_contrast,
)
from steertui.stats.gap import Gap, paired_gap
from steertui.stats.gap_difference import gap_difference
from steertui.stats.over_categories import CategoryLimits, limits_over_categories
from steertui.stats.rate import ScenarioCounts
from tests.fixtures.real import RUNS, needs_shared


def side(*counts: int, samples: int = 1) -> ScenarioCounts:
    return {str(i): (x, samples) for i, x in enumerate(counts)}


def published(model: str, condition: str) -> ScenarioCounts:
    mode = {name: mode for mode, name in CONDITIONS.items()}[condition]
    (folder,) = RUNS.glob(f"{model}_{mode}_max_15_*")
    items = read_log(folder / "stdout.log")
    return {
        item.task_prompt: (int(item.decision is Label.CONVERGENCE), 1)
        for item in items
        if item.decision is not Label.NONSENSICAL
    }


def test_a_gap_does_not_differ_from_itself() -> None:
    one = side(1, 1, 1, 0, 1, 1), side(0, 0, 1, 0, 0, 1)
    result = gap_difference(one, one, "a", "b")
    assert (result.points, result.p, result.only_first, result.only_second) == (0, 1.0, 0, 0)
    assert result.low is not None
    assert result.high is not None
    assert result.low <= 0 <= result.high


def test_p_value_enumerates_the_signs_of_differences_of_differences() -> None:
    rng = random.Random(7)
    pro, anti, other_pro, other_anti = (
        {str(i): (rng.randint(0, 3), 3) for i in range(9)} for _ in range(4)
    )
    result = gap_difference((pro, anti), (other_pro, other_anti), "a", "b")
    differences = [
        pro[i][0] - anti[i][0] - other_pro[i][0] + other_anti[i][0] for i in map(str, range(9))
    ]
    sums = [
        abs(sum(s * m for s, m in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=9)
    ]
    expected = sum(value >= abs(sum(differences)) for value in sums) / 2**9
    assert result.p == pytest.approx(expected, rel=1e-9)


def test_swapping_the_models_negates_the_difference() -> None:
    one, two = (
        (side(1, 1, 1, 1, 0, 1), side(0, 0, 0, 0, 0, 1)),
        (side(1, 0, 1, 1), side(0, 1, 1, 0, 1)),
    )
    there, back = gap_difference(one, two, "a", "b"), gap_difference(two, one, "b", "a")
    assert there.points == pytest.approx(-(back.points or 0))
    assert there.low == pytest.approx(-(back.high or 0))
    assert there.p == back.p
    assert there.pairs == 4


def test_scenarios_with_unequal_sample_counts_are_paired() -> None:
    one = {"a": (7, 97), "b": (3, 89)}, {"a": (1, 83), "b": (0, 79)}
    two = {"a": (5, 73), "b": (2, 71)}, {"a": (2, 67), "b": (1, 61)}
    result = gap_difference(one, two, "a", "b")
    assert (result.pairs, result.samples) == (2, 97)
    assert result.p is not None


def test_difference_is_undefined_without_valid_items() -> None:
    result = gap_difference((side(1), {}), (side(1), side(0)), "a", "b")
    assert (result.points, result.low, result.p, result.pairs) == (None, None, None, 0)
    assert sentence(result, "pro − anti") == (
        "The gap pro − anti: a and b share no scenario that is valid in both"
    )


def sentence(gap: Gap, what: str) -> str:
    test = FamilyTest(PRIMARY, gap.p, 0.95, gap.low, gap.high)
    return difference_result(Contrast(gap, lambda _: None), test, what).sentence


def test_a_small_difference_is_not_shown() -> None:
    """Published anti conditions: 4B and 30B Instruct have 3 against 2 discordant items."""
    small = {str(i): (int(i in (0, 1, 2)), 1) for i in range(71)}
    large = {str(i): (int(i in (3, 4)), 1) for i in range(71)}
    text = sentence(paired_gap(small, large, "4B", "30B"), "anti")
    assert text.startswith("Under anti: no difference between 4B and 30B is shown: +1.4 points (")
    assert text.endswith("Of 71 scenarios 3 are higher for 4B, 2 for 30B (exact test, p = 1.0)")


def test_one_scenario_has_a_verb_in_the_singular() -> None:
    text = sentence(paired_gap(side(1, 0), side(0, 0), "4B", "30B"), "anti")
    assert text.endswith("Of 2 scenarios 1 is higher for 4B, 0 for 30B (exact test, p = 1.0)")


def test_the_sentence_names_the_larger_side_first() -> None:
    few, many = side(*[0] * 12), side(*[1] * 12)
    text = sentence(paired_gap(few, many, "4B", "30B"), "pro")
    assert text.startswith(
        "Under pro the convergence rate is higher for 30B than for 4B: +100.0 po"
    )
    assert "12 are higher for 30B, 0 for 4B (exact test, p < 0.001)" in text


@needs_shared
def test_no_difference_of_the_published_gaps_of_instruct_and_thinking_is_shown() -> None:
    names = "Qwen3-4B-Instruct-2507", "Qwen3-4B-Thinking-2507"
    instruct, thinking = ((published(m, "pro"), published(m, "anti")) for m in names)
    result = gap_difference(instruct, thinking, "Instruct", "Thinking")
    assert result.points == pytest.approx(67.61 - 71.83, abs=0.01)
    assert result.p is not None
    assert result.p > 0.05
    assert "no difference between Instruct and Thinking is shown" in sentence(result, "pro − anti")


def test_limits_over_categories_equal_statsmodels_cluster_robust_limits() -> None:
    import numpy as np
    import statsmodels.api as sm
    from scipy.stats import t

    converging = (7, 6, 2, 7, 1, 5)
    one = side(*(int(i < number) for number in converging for i in range(8)))
    two = side(*(int(i == 7) for _ in converging for i in range(8)))
    category = {str(i): "abcdef"[i // 8] for i in range(48)}
    differences = np.array([one[i][0] - two[i][0] for i in category], float)
    fit = sm.OLS(differences, np.ones((48, 1))).fit(
        cov_type="cluster",
        cov_kwds={"groups": np.array([ord(c) for c in category.values()]), "use_correction": False},
    )
    half_width = 100 * t.ppf(0.975, 5) * fit.bse[0] * (6 / 5) ** 0.5
    result = limits_over_categories(one, two, category)
    assert result is not None
    assert result == pytest.approx(
        (100 * differences.mean() - half_width, 100 * differences.mean() + half_width, 6)
    )


def test_limits_over_categories_are_never_inside_those_over_scenarios() -> None:
    rng = random.Random(6)
    for _ in range(60):
        one, two = (side(*(int(rng.random() < rate) for _ in range(24))) for rate in (0.7, 0.3))
        category = {str(i): str(i % 4) for i in range(24)}
        gap, limits = paired_gap(one, two, "a", "b"), limits_over_categories(one, two, category)
        assert limits is not None
        assert gap.low is not None
        assert gap.high is not None
        assert limits[0] <= gap.low
        assert limits[1] >= gap.high
    alike = side(1, 1, 1, 1), side(0, 0, 0, 0)
    gap = paired_gap(*alike, "a", "b")
    category = {str(i): str(i) for i in range(4)}
    assert limits_over_categories(*alike, category) == CategoryLimits(
        gap.low or 0.0, gap.high or 0.0, 4
    )


def test_a_difference_is_over_the_scenarios_of_its_test_if_that_moves_it() -> None:
    # Of 5 shared scenarios none differs; the others converge on one side each.
    one = side(*[0] * 5, *[1] * 10)
    two = {name: count for name, count in side(*[0] * 30).items() if int(name) not in range(5, 15)}
    found = headline_contrast(one, two, "a", "b")
    assert found.is_shared
    assert (found.gap.points, found.gap.pairs) == (0.0, 5)
    alike = headline_contrast(side(*[1] * 10), side(*[0] * 10), "a", "b")
    assert not alike.is_shared
    gaps = headline_difference_contrast((one, one), (one, two), "a", "b")
    assert gaps.gap.points == 0.0
    base = side(*[0] * 5, *[1] * 10), side(*[0] * 15)
    apart = dict.fromkeys(map(str, range(5)), (1, 1)), dict.fromkeys(map(str, range(5)), (0, 1))
    moved = headline_difference_contrast(base, apart, "a", "b")
    assert moved.is_shared
    assert (moved.gap.points, moved.gap.pairs) == (-100.0, 5)
    text = difference_result(moved, family_tests([moved], PRIMARY)[0], "pro − anti").sentence
    assert "-100.0 points" in text
    assert "over the 5 scenarios valid in both" in text


def test_two_pairs_have_no_interval() -> None:
    few = gap_contrast(side(1, 1), side(0, 0), "a", "b")
    (test,) = family_tests([few], PRIMARY)
    assert (test.low, test.high) == (None, None)
    statement = gap_result(few, test, 2).statement
    assert statement.endswith("is shown: +100.0 points (no interval with fewer than 4 pairs)")
    four = gap_contrast(side(1, 1, 1, 1), side(0, 0, 0, 0), "a", "b")
    (test,) = family_tests([four], PRIMARY)
    assert test.low is not None


def test_only_categories_with_pairs_count_over_categories() -> None:
    one = side(*[1, 0] * 10)
    two = {name: (0, 1) for name in one if int(name) < 8}
    category = {name: str(int(name) // 2) for name in one}
    limits = limits_over_categories(one, two, category)
    assert limits is not None
    assert limits.categories == 4
    three = {name: (0, 1) for name in one if int(name) < 6}
    assert limits_over_categories(one, three, category) is None


def test_limits_over_categories_are_undefined_with_one_category_or_no_valid_item() -> None:
    one, two = side(1, 1, 0), side(0, 1, 0)
    assert limits_over_categories(one, two, dict.fromkeys("012", "a")) is None
    assert limits_over_categories({}, two, dict.fromkeys("012", "a")) is None
