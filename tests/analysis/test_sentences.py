"""Sentences claim what the data carry, and trouble is said by itself."""

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
from steertui.store import JudgeInfo
from steertui.store import ModelSetting as ArmFacts

C, N, S, X = Label
SURE = Gap("pro", "anti", 67.61, 54.6, 76.9, 71, 48, 0, 2 * 0.5**48)
OPEN = Gap("4B", "30B", 1.41, -5.9, 8.8, 71, 3, 2, 1.0)


def arm(
    name: str, labels: Sequence[Label | None], cut: int = 0, generated: bool = True
) -> list[Outcome]:
    return [
        Outcome(str(i), "c", name, 0, generated or label is not None, i < cut, label, False)
        for i, label in enumerate(labels)
    ]


def test_a_clear_gap_is_said_with_interval_counts_and_p() -> None:
    assert gap_sentence(SURE, 71) == (
        "pro converges more than anti: +67.6 points (95 % interval +54.6 to +76.9); "
        "48 against 0 discordant, p < 0.001"
    )


def test_a_negative_gap_names_the_other_condition_first() -> None:
    mirrored = replace(SURE, points=-67.61, low=-76.9, high=-54.6, only_first=0, only_second=48)
    assert gap_sentence(mirrored, 71).startswith("anti converges more than pro: +67.6 points")


def test_what_the_test_does_not_show_is_not_claimed() -> None:
    assert gap_sentence(OPEN, 71) == (
        "4B and 30B are not distinguishable: 3 against 2 discordant, p = 1.0; difference +1.4 "
        "points (95 % interval -5.9 to +8.8); with 71 pairs, 11 points is the least that "
        "shows in 4 runs of 5"
    )


def test_an_interval_without_zero_does_not_overrule_the_test() -> None:
    found = gap_sentence(replace(OPEN, low=0.5, p=0.07), 71)
    assert "not distinguishable" in found
    assert "p = 0.07" in found
    assert "interval and test disagree, and the test, over 71 pairs, decides" in found


def test_holm_decides_where_it_is_given() -> None:
    found = gap_sentence(replace(SURE, p=0.03), 71, adjusted=0.12)
    assert found.startswith("pro and anti are not distinguishable")
    assert "p = 0.12 after Holm" in found


def test_rates_and_pairs_that_disagree_give_no_direction() -> None:
    found = gap_sentence(replace(SURE, only_first=2, only_second=12, p=0.013), 71)
    assert "direction is not shown" in found


def test_several_samples_are_said_with_their_own_test_and_range() -> None:
    found = gap_sentence(replace(OPEN, samples=5), 71)
    assert "3 against 2 scenarios converge more often, sign-flip, p = 1.0" in found
    assert found.endswith("with 71 pairs, 3 to 11 points is the least that shows in 4 runs of 5")


def test_the_least_that_shows_counts_what_else_the_table_tests() -> None:
    outcomes = arm("pro", [C] * 14 + [N] * 22) + arm("anti", [C] * 7 + [N] * 29)
    outcomes += arm("baseline", [C] * 10 + [N] * 26)
    judge, facts = JudgeInfo("a", "a", "", JudgeKind.LOCAL), ArmFacts("sha", "model", "", 0.0)
    table = make_table("e", facts, judge, outcomes, Policy.PAPER)
    first = table.comparisons[0]
    assert (first.gap.p, first.adjusted) == (2 * 0.5**7, 6 * 0.5**7)
    said = table.comparisons[1].sentence
    assert said.endswith("25 points is the least that shows in 4 runs of 5 after Holm over 3")


def test_missing_pairs_are_said() -> None:
    assert gap_sentence(replace(SURE, pairs=26), 71).endswith(
        "; only 26 of 71 scenarios are valid under both"
    )


def test_nothing_valid_is_said_without_a_number() -> None:
    empty = Gap("pro", "anti", None, None, None, 0, 0, 0, None)
    assert gap_sentence(empty, 71) == (
        "pro and anti cannot be compared: no valid answer under at least one of them"
    )
    apart = Gap("pro", "anti", 100.0, 5.5, 100.0, 0, 0, 0, None)
    assert "cannot be tested" in gap_sentence(apart, 2)


def test_few_pairs_could_show_nothing() -> None:
    one = arm("pro", [C]) + arm("anti", [N])
    assert "with 1 pair no difference can show (6 is the least)" in gap_sentence(
        condition_gap(one, "pro", "anti"), 1
    )


@pytest.mark.parametrize(
    "p", [0.0, 0.0009, 0.001, 0.04999, 0.05, 0.0500001, 0.0075, 0.29, 0.996, 1]
)
def test_a_p_value_is_never_rounded_across_the_level(p: float) -> None:
    said = p_text(p)
    assert said.startswith("p < 0.001") or (float(said.removeprefix("p = ")) <= 0.05) == (p <= 0.05)


def test_a_p_value_keeps_two_digits() -> None:
    assert [p_text(p) for p in (0.0075378, 0.2891, 0.996, 0.0502, 1e-9)] == [
        "p = 0.0075", "p = 0.29", "p = 1.0", "p = 0.0502", "p < 0.001",
    ]  # fmt: skip


def test_the_plan_says_what_it_can_show_before_it_runs() -> None:
    assert minimum_gap_sentence(71) == (
        "With 71 scenarios, 11 points is the smallest gap that shows in 4 runs of 5; "
        "5.5 points need at least 143 scenarios"
    )
    assert "5 samples each bring that to 3 points at best" in minimum_gap_sentence(71, 5)
    assert minimum_gap_sentence(36, tests=3).startswith(
        "With 36 scenarios and Holm over 3 comparisons, 25 points is the smallest gap that shows"
    )
    assert minimum_gap_sentence(36, tests=0).startswith("One condition alone shows no gap")
    assert "no gap is sure to show" in minimum_gap_sentence(5)
    assert minimum_gap_sentence(7, tests=6).endswith("plan at least 8")
    assert minimum_gap_sentence(1).startswith("With 1 scenario no gap")


def test_nonsense_is_said_to_count_where_the_policy_counts_it() -> None:
    nonsense = arm("pro", [C] * 10 + [X] * 10)
    assert "the convergence rate leaves them out" in trial_warnings(nonsense)[0]
    assert "they count as not converging" in trial_warnings(nonsense, Policy.ALL)[0]


def test_answers_whose_end_nobody_wrote_down_are_not_called_whole() -> None:
    unknown = [o._replace(truncated=None) for o in arm("pro", [C] * 20)]
    assert count_trials(unknown).truncated is None
    assert count_trials([*unknown, *arm("pro", [C])]).truncated is None
    assert trial_warnings(unknown) == [
        "nobody knows which answers were cut off at the token limit: they are imported"
    ]


def test_labels_that_lack_under_one_condition_are_said_though_their_rate_is_not_marked() -> None:
    lacking = arm("pro", [C] * 92 + [None] * 8) + arm("anti", [N] * 100)
    (said,) = trial_warnings(lacking)
    assert said == (
        "lack of a label goes with the condition: 8 of 100 (8 %) under pro, 0 of 100 (0 %) under "
        "anti (p = 0.0078)"
    )


def test_valid_are_those_that_the_policy_counts() -> None:
    outcomes = arm("pro", [C] * 5 + [S] * 3 + [X] * 2)
    facts, judge = ArmFacts("sha", "model", "", 0.0), JudgeInfo("a", "a", "", JudgeKind.LOCAL)
    for policy, counted in (
        (Policy.PAPER, "8"),
        (Policy.ALL, "10"),
        (Policy.EXCLUDE_REFUSALS, "5"),
    ):
        table = make_table("e", facts, judge, outcomes, policy)
        summary = Summary(("e",), (table,))
        assert f"| pro | 10 | {counted} |" in markdown.write(summary)


def test_a_clean_run_has_no_warnings() -> None:
    assert trial_warnings(arm("pro", [C] * 20) + arm("anti", [N] * 20)) == []
    assert trial_warnings([]) == []


def test_one_condition_is_warned_about_by_itself() -> None:
    found = trial_warnings(arm("pro", [C] * 10 + [X] * 10 + [None] * 5, cut=8))
    assert [line.split(";")[0] for line in found] == [
        "pro: only 20 of 25 (80 %) trials are judged (0 failed at the judge)",
        "pro: 10 of 20 (50 %) judged answers are nonsensical",
        "pro: 8 of 25 (32 %) answers are cut off at the token limit",
    ]


def test_a_rate_on_too_few_verdicts_is_marked_and_every_sentence_with_it_says_so() -> None:
    outcomes = arm("pro", [C] * 16 + [None] * 4) + arm("anti", [N] * 18 + [None] * 2)
    judge = JudgeInfo("a", "a judge", "", JudgeKind.LOCAL)
    table = make_table("e", ArmFacts("sha", "model", "", 0.0), judge, outcomes, Policy.PAPER)
    assert [marked_rate(row) for row in table.rows] == ["100.0*", "0.0"]
    assert table.comparisons[0].sentence.endswith("; under pro 16 of 20 are judged")
    assert [line for line in table.warnings if line.endswith("so its rates bear a *")] == [
        "pro: only 16 of 20 (80 %) trials are judged (0 failed at the judge); the rest may differ "
        "from them, so its rates bear a *"
    ]


def test_truncation_that_goes_with_the_condition_is_said() -> None:
    found = trial_warnings(arm("baseline", [C] * 71, cut=15) + arm("anti", [N] * 71))
    assert found[-1] == (
        "truncation goes with the condition: 15 of 71 (21 %) under baseline, "
        "0 of 71 (0 %) under anti (p < 0.001)"
    )


def test_refusals_and_nonsense_that_go_with_the_condition_are_said() -> None:
    found = trial_warnings(
        arm("pro", [S] * 12 + [C] * 59) + arm("anti", [N] * 71) + arm("placebo", [X] * 7 + [N] * 64)
    )
    assert [line.split(":")[0] for line in found] == [
        "nonsense goes with the condition",
        "refusal goes with the condition",
    ]


def test_too_few_valid_pairs_are_said() -> None:
    found = trial_warnings(arm("pro", [X] * 20 + [C] * 20) + arm("anti", [C] * 20 + [X] * 20))
    assert any(line.startswith("pro and anti: only 0 of 40 scenarios valid") for line in found)


def test_trials_not_yet_run_give_warnings_and_no_errors() -> None:
    found = trial_warnings(arm("pro", [None] * 3, generated=False) + arm("anti", [None] * 3))
    assert found[0].startswith("pro: only 0 of 3 (0 %) trials are judged")


def written(name: str, texts: Sequence[str], samples: int = 1) -> list[Outcome]:
    return [
        Outcome(str(i // samples), "c", name, i % samples, True, False, C, False, text)
        for i, text in enumerate(texts)
    ]


def test_answers_that_are_copies_of_each_other_are_said() -> None:
    own = [f"{i}" for i in range(16)]
    assert trial_warnings(written("pro", own)) == []
    assert trial_warnings(written("pro", [*own, "x", "x", "x", "x"])) == [
        "pro: 4 of 20 (20 %) answers are word for word the answer to another scenario, too"
    ]


def test_samples_that_are_one_text_are_said_to_be_worth_one() -> None:
    texts = [f"{i // 3}" if i < 9 else f"{i}" for i in range(30)]
    assert trial_warnings(written("pro", texts, samples=3)) == [
        "pro: in 3 of 10 (30 %) scenarios all samples are one text; such samples are worth one"
    ]


def test_a_suffix_that_changed_no_answer_is_said() -> None:
    same = [f"{i}" for i in range(10)]
    found = trial_warnings(written("pro", same) + written("anti", [*same[:5], *"abcde"]))
    assert found == [
        "pro and anti: 5 of 10 (50 %) answers are the same text; see whether both suffixes reach "
        "the model"
    ]
