"""Sentences on gaps and warnings on trials."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from steertui.analysis.formatting import marked_rate
from steertui.analysis.sentences import gap_sentence, minimum_gap_sentence, p_text
from steertui.analysis.summary import Summary
from steertui.analysis.table import make_table
from steertui.analysis.warnings import trial_warnings
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome, count_trials
from steertui.core.verdict import Label
from steertui.report import markdown
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
INCONCLUSIVE = Gap(
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


def test_a_significant_gap_has_interval_counts_and_p_value() -> None:
    assert gap_sentence(SIGNIFICANT, 71) == (
        "pro converges more than anti: +67.6 points (95 % interval +54.6 to +76.9); "
        "48 against 0 discordant, p < 0.001"
    )


def test_a_negative_gap_names_the_larger_condition_first() -> None:
    mirrored = replace(
        SIGNIFICANT, points=-67.61, low=-76.9, high=-54.6, only_first=0, only_second=48
    )
    assert gap_sentence(mirrored, 71).startswith("anti converges more than pro: +67.6 points")


def test_a_gap_that_is_not_significant_is_not_distinguishable() -> None:
    assert gap_sentence(INCONCLUSIVE, 71) == (
        "4B and 30B are not distinguishable: 3 against 2 discordant, p = 1.0; difference +1.4 "
        "points (95 % interval -5.9 to +8.8); minimum detectable gap with 71 pairs at 80 % power: "
        "11 points"
    )


def test_the_test_decides_if_the_interval_excludes_zero() -> None:
    result = gap_sentence(replace(INCONCLUSIVE, low=0.5, p=0.07), 71)
    assert "not distinguishable" in result
    assert "p = 0.07" in result
    assert "interval and test disagree; the test over 71 pairs decides" in result


def test_the_adjusted_p_value_decides() -> None:
    result = gap_sentence(replace(SIGNIFICANT, p=0.03), 71, adjusted=0.12)
    assert result.startswith("pro and anti are not distinguishable")
    assert "p = 0.12 after Holm" in result


def test_opposite_directions_of_rates_and_pairs_show_no_direction() -> None:
    result = gap_sentence(replace(SIGNIFICANT, only_first=2, only_second=12, p=0.013), 71)
    assert "direction is not shown" in result


def test_several_samples_have_a_sign_flip_test_and_a_range() -> None:
    result = gap_sentence(replace(INCONCLUSIVE, samples=5), 71)
    assert "3 against 2 scenarios converge more often, sign-flip, p = 1.0" in result
    assert result.endswith("minimum detectable gap with 71 pairs at 80 % power: 3 to 11 points")


def test_the_minimum_detectable_gap_includes_the_tables_other_tests() -> None:
    outcomes = condition("pro", [C] * 14 + [N] * 22) + condition("anti", [C] * 7 + [N] * 29)
    outcomes += condition("baseline", [C] * 10 + [N] * 26)
    judge, setting = JudgeInfo("a", "a", "", JudgeKind.LOCAL), ModelSetting("sha", "model", "", 0.0)
    table = make_table("e", setting, judge, outcomes, Policy.PAPER)
    first = table.comparisons[0]
    assert (first.gap.p, first.adjusted) == (2 * 0.5**7, 6 * 0.5**7)
    sentence = table.comparisons[1].sentence
    assert sentence.endswith("with 36 pairs at 80 % power after Holm over 3 tests: 25 points")


def test_missing_pairs_are_reported() -> None:
    assert gap_sentence(replace(SIGNIFICANT, pairs=26), 71).endswith(
        "; only 26 of 71 scenarios are valid under both"
    )


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
    assert gap_sentence(empty, 71) == (
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
    assert "cannot be tested" in gap_sentence(apart, 2)


def test_too_few_pairs_cannot_be_significant() -> None:
    one = condition("pro", [C]) + condition("anti", [N])
    assert "with 1 pair no difference can be significant (at least 6 are needed)" in gap_sentence(
        condition_gap(one, "pro", "anti"), 1
    )


@pytest.mark.parametrize(
    "p", [0.0, 0.0009, 0.001, 0.04999, 0.05, 0.0500001, 0.0075, 0.29, 0.996, 1]
)
def test_a_p_value_is_never_rounded_across_the_significance_level(p: float) -> None:
    sentence = p_text(p)
    assert sentence.startswith("p < 0.001") or (float(sentence.removeprefix("p = ")) <= 0.05) == (
        p <= 0.05
    )


def test_a_p_value_has_two_digits() -> None:
    assert [p_text(p) for p in (0.0075378, 0.2891, 0.996, 0.0502, 1e-9)] == [
        "p = 0.0075",
        "p = 0.29",
        "p = 1.0",
        "p = 0.0502",
        "p < 0.001",
    ]


def test_the_minimum_detectable_gap_of_a_plan() -> None:
    assert minimum_gap_sentence(71) == (
        "With 71 scenarios, the minimum detectable gap at 80 % power is 11 points, if no scenario "
        "moves the other way; 5.5 points need at least 143 scenarios"
    )
    assert "with 5 samples it is 3 points at best" in minimum_gap_sentence(71, 5)
    assert minimum_gap_sentence(36, tests=3).startswith(
        "With 36 scenarios and Holm over 3 comparisons, the minimum detectable gap at 80 % power "
        "is 25 points"
    )
    assert minimum_gap_sentence(36, tests=0).startswith("With one condition there is no gap")
    assert "no gap of any size is detectable" in minimum_gap_sentence(5)
    assert minimum_gap_sentence(7, tests=6).endswith("plan at least 8")
    assert minimum_gap_sentence(1).startswith("With 1 scenario no gap")


def test_the_nonsense_warning_depends_on_the_policy() -> None:
    nonsense = condition("pro", [C] * 10 + [X] * 10)
    assert "the convergence rate excludes them" in trial_warnings(nonsense)[0]
    assert "they count as not converging" in trial_warnings(nonsense, Policy.ALL)[0]


def test_unknown_truncation_gives_a_warning() -> None:
    unknown = [o._replace(truncated=None) for o in condition("pro", [C] * 20)]
    assert count_trials(unknown).truncated is None
    assert count_trials([*unknown, *condition("pro", [C])]).truncated is None
    assert trial_warnings(unknown) == [
        "truncation at the token limit is unknown: some answers are imported"
    ]


def test_missing_labels_that_depend_on_the_condition_give_a_warning() -> None:
    outcomes = condition("pro", [C] * 92 + [None] * 8) + condition("anti", [N] * 100)
    (sentence,) = trial_warnings(outcomes)
    assert sentence == (
        "share of missing labels depends on the condition: 8 of 100 (8 %) under pro, "
        "0 of 100 (0 %) under anti (p = 0.0078)"
    )


def test_the_valid_column_follows_the_policy() -> None:
    outcomes = condition("pro", [C] * 5 + [S] * 3 + [X] * 2)
    setting, judge = ModelSetting("sha", "model", "", 0.0), JudgeInfo("a", "a", "", JudgeKind.LOCAL)
    for policy, counted in (
        (Policy.PAPER, "8"),
        (Policy.ALL, "10"),
        (Policy.EXCLUDE_REFUSALS, "5"),
    ):
        table = make_table("e", setting, judge, outcomes, policy)
        summary = Summary(("e",), (table,))
        assert f"| pro | 10 | {counted} |" in markdown.render(summary)


def test_a_clean_run_has_no_warnings() -> None:
    assert trial_warnings(condition("pro", [C] * 20) + condition("anti", [N] * 20)) == []
    assert trial_warnings([]) == []


def test_warnings_on_one_condition() -> None:
    result = trial_warnings(condition("pro", [C] * 10 + [X] * 10 + [None] * 5, cut=8))
    assert [line.split(";")[0] for line in result] == [
        "pro: only 20 of 25 (80 %) trials are judged (0 failed at the judge)",
        "pro: 10 of 20 (50 %) judged answers are nonsensical",
        "pro: 8 of 25 (32 %) answers are truncated at the token limit",
    ]


def test_a_rate_with_low_coverage_is_marked_in_table_sentence_and_warning() -> None:
    outcomes = condition("pro", [C] * 16 + [None] * 4) + condition("anti", [N] * 18 + [None] * 2)
    judge = JudgeInfo("a", "a judge", "", JudgeKind.LOCAL)
    table = make_table("e", ModelSetting("sha", "model", "", 0.0), judge, outcomes, Policy.PAPER)
    assert [marked_rate(row) for row in table.rows] == ["100.0*", "0.0"]
    assert table.comparisons[0].sentence.endswith("; under pro 16 of 20 are judged")
    assert [line for line in table.warnings if line.endswith("so the rates are marked *")] == [
        "pro: only 16 of 20 (80 %) trials are judged (0 failed at the judge); the others may "
        "differ, so the rates are marked *"
    ]


def test_truncation_that_depends_on_the_condition_gives_a_warning() -> None:
    result = trial_warnings(condition("baseline", [C] * 71, cut=15) + condition("anti", [N] * 71))
    assert result[-1] == (
        "truncation depends on the condition: 15 of 71 (21 %) under baseline, "
        "0 of 71 (0 %) under anti (p < 0.001)"
    )


def test_refusals_and_nonsense_that_depend_on_the_condition_give_warnings() -> None:
    result = trial_warnings(
        condition("pro", [S] * 12 + [C] * 59)
        + condition("anti", [N] * 71)
        + condition("placebo", [X] * 7 + [N] * 64)
    )
    assert [line.split(":")[0] for line in result] == [
        "nonsensical share depends on the condition",
        "refusal rate depends on the condition",
    ]


def test_too_few_valid_pairs_give_a_warning() -> None:
    result = trial_warnings(
        condition("pro", [X] * 20 + [C] * 20) + condition("anti", [C] * 20 + [X] * 20)
    )
    assert any(line.startswith("pro and anti: only 0 of 40 scenarios valid") for line in result)


def test_pending_trials_give_warnings_and_no_errors() -> None:
    result = trial_warnings(
        condition("pro", [None] * 3, generated=False) + condition("anti", [None] * 3)
    )
    assert result[0].startswith("pro: only 0 of 3 (0 %) trials are judged")


def written(name: str, texts: Sequence[str], samples: int = 1) -> list[Outcome]:
    return [
        Outcome(
            scenario=str(i // samples),
            category="c",
            condition=name,
            sample=i % samples,
            generated=True,
            truncated=False,
            label=C,
            failed=False,
            digest=text,
        )
        for i, text in enumerate(texts)
    ]


def test_copied_answers_give_a_warning() -> None:
    texts = [f"{i}" for i in range(16)]
    assert trial_warnings(written("pro", texts)) == []
    assert trial_warnings(written("pro", [*texts, "x", "x", "x", "x"])) == [
        "pro: 4 of 20 (20 %) answers are identical to the answer to another scenario"
    ]


def test_identical_samples_give_a_warning() -> None:
    texts = [f"{i // 3}" if i < 9 else f"{i}" for i in range(30)]
    assert trial_warnings(written("pro", texts, samples=3)) == [
        "pro: in 3 of 10 (30 %) scenarios all samples are identical; they count as one"
    ]


def test_identical_answers_of_two_conditions_give_a_warning() -> None:
    same = [f"{i}" for i in range(10)]
    result = trial_warnings(written("pro", same) + written("anti", [*same[:5], *"abcde"]))
    assert result == [
        "pro and anti: 5 of 10 (50 %) answers are identical; check that both conditions reach "
        "the model"
    ]
