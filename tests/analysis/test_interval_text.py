"""Intervals as text: limits that tests set to 0, and intervals that few pairs do not have."""

import pytest

from steertui.analysis.arms import arm_sentence
from steertui.analysis.group_words import points_text
from steertui.analysis.interval_text import interval_cell, interval_words, set_limits_legend
from steertui.analysis.primary_gaps import PooledGap, pooled_sentence
from steertui.report.factor_record import pooled_record
from steertui.stats.families import PRIMARY, FamilyTest, family_tests, gap_contrast
from steertui.stats.gap import GapCounts
from steertui.stats.pooled import pooled_contrast, pooled_difference
from steertui.stats.rate import ScenarioCounts
from steertui.stats.wordings import wording_gap


def side(*values: int) -> ScenarioCounts:
    return {str(i): (value, 1) for i, value in enumerate(values)}


def opposite(pairs: int) -> GapCounts:
    return side(*[1] * pairs), side(*[0] * pairs)


def test_a_limit_that_the_test_extends_to_0_is_no_number() -> None:
    """Five of five pairs: the computed limit is +38.6, and p = 0.0625."""
    five = gap_contrast(*opposite(5), "a", "b")
    assert five.gap.low == pytest.approx(38.55, abs=0.05)
    (test,) = family_tests([five], PRIMARY)
    assert interval_cell(test) == "[≤ 0, +100.0]"
    assert interval_words(test) == (
        "95 % interval ≤ 0 to +100.0; the test, not the computed limit, includes 0"
    )
    assert "does not, so the limit is not known" in set_limits_legend([test])
    mirrored = gap_contrast(opposite(5)[1], opposite(5)[0], "a", "b")
    assert interval_cell(*family_tests([mirrored], PRIMARY)) == "[-100.0, ≥ 0]"


def test_a_limit_that_the_test_cuts_at_0_excludes_it() -> None:
    shown = FamilyTest(PRIMARY, 0.03, 0.95, 0.0, 40.0)
    assert interval_words(shown, sign="") == (
        "95 % interval > 0 to 40.0; the test, not the computed limit, excludes 0"
    )
    assert interval_cell(FamilyTest(PRIMARY, 0.03, 0.95, -40.0, 0.0)) == "[-40.0, < 0]"
    assert set_limits_legend([shown]).startswith("> 0 or < 0: the exact test excludes 0")
    assert set_limits_legend([FamilyTest(PRIMARY, 0.03, 0.95, 1.0, 40.0)]) == ""


def test_a_pooled_gap_whose_test_shows_nothing_has_no_interval_without_0() -> None:
    contrast = pooled_contrast([opposite(5), opposite(5)], "a", "b")
    assert contrast.gap.low is not None
    assert contrast.gap.low > 0
    (test,) = family_tests([contrast], PRIMARY)
    pooled = PooledGap(
        "e", "judge", settings=2, models=2, pairs=10, answers=20, gap=contrast.gap, test=test
    )
    assert pooled.sign == 0
    assert (
        "+100.0 points (95 % interval ≤ 0 to +100.0; the test, not the computed limit, includes 0, "
        "exact randomisation test, p = 0.062)" in pooled_sentence(pooled)
    )
    assert pooled_record(pooled)["test_low"] == 0


def test_no_gap_of_three_pairs_has_an_interval() -> None:
    pair = opposite(3)
    pooled = pooled_contrast([pair, pair], "a", "b").gap
    difference = pooled_difference([pair], [pair[::-1]], "one", "two")
    assert (pooled.points, pooled.low, difference.points, difference.low) == (100, None, 200, None)
    assert points_text(pooled) == "+100.0 points (no interval with fewer than 4 pairs)"
    arms = wording_gap([pair[0], pair[0]], [pair[1]], "a", "b")
    assert arms is not None
    assert arms.over is None
    assert "no interval with fewer than 4 pairs" in arm_sentence(arms)
    four = wording_gap([opposite(4)[0]] * 2, [opposite(4)[1]], "a", "b")
    assert four is not None
    assert four.over is not None
