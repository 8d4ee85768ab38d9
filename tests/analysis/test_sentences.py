"""Sentences on gaps."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from steertui.analysis.sentences import (
    Finding,
    GapResult,
    gap_result,
    minimum_gap_sentence,
    p_text,
)
from steertui.analysis.table import make_table
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.families import PRIMARY, Contrast, Family, FamilyTest, Role
from steertui.stats.gap import Gap, condition_gap
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting

C, N, S, X = Label
SIGNIFICANT = Gap(
    first="pro",
    second="anti",
    points=67.61,
    low=54.6,
    high=76.9,
    pairs=71,
    only_first=48,
    only_second=0,
    p=2 * 0.5**48,
)
NOT_SHOWN = Gap(
    first="4B",
    second="30B",
    points=1.41,
    low=-5.9,
    high=8.8,
    pairs=71,
    only_first=3,
    only_second=2,
    p=1.0,
)
DECLARED = Family(Role.SECONDARY, 3, "comparisons of the declared family")


def result(gap: Gap, test: FamilyTest | None = None, planned: int = 71) -> GapResult:
    """Return the result on a gap; by default as a primary comparison."""
    test = test or FamilyTest(PRIMARY, gap.p, 0.95, gap.low, gap.high)
    return gap_result(Contrast(gap, lambda _: None), test, planned)


def sentence(gap: Gap, test: FamilyTest | None = None, planned: int = 71) -> str:
    return result(gap, test, planned).sentence


def condition(
    name: str, labels: Sequence[Label | None], cut: int = 0, generated: bool = True
) -> list[Outcome]:
    return [
        Outcome(
            scenario=str(i),
            category="c",
            condition=name,
            sample=0,
            generated=generated or label is not None,
            truncated=i < cut,
            label=label,
            failed=False,
        )
        for i, label in enumerate(labels)
    ]


def test_a_shown_difference_has_points_interval_counts_and_p_value() -> None:
    assert sentence(SIGNIFICANT) == (
        "Answers converge more often under pro than under anti: 67.6 points more (95 % interval "
        "54.6 to 76.9). Of 71 scenarios 48 converged only under pro, 0 only under anti (exact "
        "test, p < 0.001)"
    )
    assert result(SIGNIFICANT).finding is Finding.MORE


def test_a_negative_gap_names_the_larger_condition_first() -> None:
    mirrored = replace(
        SIGNIFICANT, points=-67.61, low=-76.9, high=-54.6, only_first=0, only_second=48
    )
    assert sentence(mirrored).startswith(
        "Answers converge more often under anti than under pro: 67.6 points more (95 % interval "
        "54.6 to 76.9). Of 71 scenarios 48 converged only under anti"
    )
    assert result(mirrored).finding is Finding.FEWER


def test_a_difference_that_is_not_shown_is_not_called_equality() -> None:
    assert sentence(NOT_SHOWN) == (
        "No difference between 4B and 30B is shown: +1.4 points (95 % interval -5.9 to +8.8). "
        "Of 71 scenarios 3 converged only under 4B, 2 only under 30B (exact test, p = 1.0); "
        "minimum detectable gap at 80 % power with 2 of 71 moving the other way: at most 16 points"
    )


def test_a_gap_with_none_observed_against_it_is_a_best_case() -> None:
    gap = replace(NOT_SHOWN, pairs=12, only_first=4, only_second=0, p=0.125)
    test = FamilyTest(replace(DECLARED, tests=5), 0.6, 0.99, -20.6, 60.2)
    assert sentence(gap, test, 12).endswith(
        "; if no scenario truly moves the other way (0 of 12 did), the minimum detectable gap at "
        "80 % power is at most 74 points: a best case"
    )


def test_no_power_is_a_statement_on_one_true_share_in_one_family() -> None:
    gap = replace(NOT_SHOWN, pairs=12, only_first=4, only_second=1, p=0.375)
    test = FamilyTest(replace(DECLARED, tests=5), 1.0, 0.99, -20.6, 60.2)
    assert sentence(gap, test, 12).endswith(
        "; if 1 of 12 moving the other way is the true share, no gap has 80 % power (Bonferroni "
        "over 5)"
    )


def test_a_sentence_names_the_family_and_shows_the_interval_of_its_test() -> None:
    test = FamilyTest(DECLARED, 0.03, 1 - 0.05 / 3, 51.2, 78.3)
    found = result(replace(SIGNIFICANT, p=0.01), test)
    assert "(98.3 % interval 51.2 to 78.3)" in found.statement
    assert found.evidence.endswith(
        "(exact test, p = 0.03, Holm over the 3 comparisons of the declared family)"
    )


def test_the_adjusted_p_value_decides() -> None:
    test = FamilyTest(DECLARED, 0.12, 1 - 0.05 / 3, -3.0, 80.0)
    assert sentence(replace(SIGNIFICANT, p=0.04), test).startswith("No difference between pro and")


def test_few_pairs_say_that_no_difference_can_be_shown() -> None:
    assert "Of 40 scenarios valid under both (71 planned) 3 converged" in sentence(
        replace(NOT_SHOWN, p=0.07, pairs=40)
    )
    assert sentence(replace(NOT_SHOWN, p=1.0, pairs=5)).endswith(
        "with fewer than 6 scenarios no difference can be shown"
    )


def test_opposite_directions_of_rates_and_pairs_show_no_direction() -> None:
    found = result(replace(SIGNIFICANT, only_first=2, only_second=12, p=0.013))
    assert "direction is not shown" in found.statement
    assert (found.finding, found.finding.sign) == (Finding.UNDIRECTED, 0)


def test_several_samples_have_a_randomisation_test() -> None:
    found = sentence(replace(NOT_SHOWN, samples=5))
    assert "3 converged more often under 4B, 2 more often under 30B (exact randomisation" in found


def test_holm_corrects_the_declared_family_and_not_the_primary_comparison() -> None:
    outcomes = condition("pro", [C] * 14 + [N] * 22) + condition("anti", [C] * 7 + [N] * 29)
    outcomes += condition("baseline", [C] * 10 + [N] * 26)
    judge, setting = JudgeInfo("a", "a", "", JudgeKind.LOCAL), ModelSetting("sha", "model", "", 0.0)
    table = make_table("e", setting, judge, outcomes, Policy.PAPER)
    assert table.primary is not None
    assert (table.primary.gap.p, table.primary.adjusted) == (2 * 0.5**7, None)
    assert [(c.gap.p, c.adjusted) for c in table.secondary] == [(0.125, 0.25), (0.25, 0.25)]


def test_no_valid_answer_gives_a_sentence_without_numbers() -> None:
    empty = Gap(
        first="pro",
        second="anti",
        points=None,
        low=None,
        high=None,
        pairs=0,
        only_first=0,
        only_second=0,
        p=None,
    )
    assert sentence(empty) == (
        "pro and anti cannot be compared: no valid answer under at least one of them"
    )
    apart = Gap(
        first="pro",
        second="anti",
        points=100.0,
        low=5.5,
        high=100.0,
        pairs=0,
        only_first=0,
        only_second=0,
        p=None,
    )
    assert "cannot be tested" in sentence(apart, planned=2)


def test_too_few_pairs_cannot_be_significant() -> None:
    one = condition("pro", [C]) + condition("anti", [N])
    assert "with fewer than 6 scenarios no difference can be shown" in sentence(
        condition_gap(one, "pro", "anti"), planned=1
    )


@pytest.mark.parametrize(
    "p", [0.0, 0.0009, 0.001, 0.04999, 0.05, 0.0500001, 0.0075, 0.29, 0.996, 1]
)
def test_a_p_value_is_never_rounded_across_the_significance_level(p: float) -> None:
    text = p_text(p)
    assert text.startswith("p < 0.001") or (float(text.removeprefix("p = ")) <= 0.05) == (p <= 0.05)


def test_a_p_value_has_two_digits() -> None:
    assert [p_text(p) for p in (0.0075378, 0.2891, 0.996, 0.0502, 1e-9)] == [
        "p = 0.0075",
        "p = 0.29",
        "p = 1.0",
        "p = 0.0502",
        "p < 0.001",
    ]


PAIR = ("pro", "anti")


def test_the_minimum_detectable_gap_of_a_plan_is_a_range_over_moves_back() -> None:
    assert minimum_gap_sentence(71, 1, PAIR) == (
        "With 71 valid pairs, the minimum detectable gap of the primary comparison pro − anti at "
        "80 % power is at most 11 points if no scenario moves the other way, 18 points if 5 % do, "
        "23 points if 10 % do; 10 points need 78 to 249 pairs"
    )
    assert "5 samples make it 3 points at best" in minimum_gap_sentence(71, 5, PAIR)
    assert "5 samples make it 16 points at best, if they vary independently" in (
        minimum_gap_sentence(12, 5, PAIR)
    )
    # With 5 samples, 18 scenarios are enough in the best case: 78 to 249 is for one.
    assert minimum_gap_sentence(12, 5, PAIR).endswith("need 78 to 249 pairs with one sample")
    assert "no gap of any size is detectable" in minimum_gap_sentence(5, 1, PAIR)
    assert minimum_gap_sentence(1, 1, PAIR).startswith("With 1 scenario no gap")
    assert "not detectable if 10 % do" in minimum_gap_sentence(7, 1, PAIR)
