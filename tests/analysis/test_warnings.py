"""Warnings on trials, and the marks and columns that follow them."""

from collections.abc import Sequence

from steertui.analysis.formatting import marked_rate
from steertui.analysis.overview import count_warnings, warning_text
from steertui.analysis.summary import Summary
from steertui.analysis.table import make_table
from steertui.analysis.warnings import trial_warnings
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome, count_trials
from steertui.core.verdict import Label
from steertui.report import markdown
from steertui.stats.rate import Policy
from steertui.store import JudgeInfo, ModelSetting
from tests.analysis.test_sentences import condition

C, N, S, X = Label


def warning_texts(outcomes: Sequence[Outcome], policy: Policy = Policy.PAPER) -> list[str]:
    return [warning.text for warning in trial_warnings(outcomes, policy)]


def test_the_nonsense_warning_depends_on_the_policy() -> None:
    nonsense = condition("pro", [C] * 10 + [X] * 10)
    assert "the convergence rate excludes them" in warning_texts(nonsense)[0]
    assert "they count as not converging" in warning_texts(nonsense, Policy.ALL)[0]


def test_unknown_truncation_gives_a_warning() -> None:
    unknown = [o._replace(truncated=None) for o in condition("pro", [C] * 20)]
    assert count_trials(unknown).truncated is None
    assert count_trials([*unknown, *condition("pro", [C])]).truncated is None
    assert warning_texts(unknown) == [
        "truncation at the token limit is unknown: some answers are imported"
    ]


def test_missing_labels_that_depend_on_the_condition_give_a_warning() -> None:
    outcomes = condition("pro", [C] * 92 + [None] * 8) + condition("anti", [N] * 100)
    (text,) = warning_texts(outcomes)
    assert text == (
        "share of missing labels depends on the condition: 8 of 100 (8 %) under pro, "
        "0 of 100 (0 %) under anti; of the 100 scenarios under both, 8 have a higher share under "
        "pro, 0 under anti (exact test, p = 0.0078)"
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


def test_a_warning_names_its_judge_where_there_are_several() -> None:
    clean = condition("pro", [C] * 20) + condition("anti", [N] * 20)
    nonsense = condition("pro", [X] * 10 + [C] * 10) + condition("anti", [N] * 20)
    tables = [
        make_table(
            "e",
            ModelSetting("sha", "model", "", 0.0),
            JudgeInfo(name, name, "", JudgeKind.LOCAL),
            outcomes,
            Policy.PAPER,
        )
        for name, outcomes in (("a", clean), ("b", nonsense))
    ]
    words = (
        "pro: 10 of 20 (50 %) judged answers are nonsensical; the convergence rate excludes them"
    )
    assert warning_text(count_warnings(tables)[0]) == f"model, judged by b: {words}"
    assert warning_text(count_warnings(tables[1:])[0]) == words


def test_a_clean_run_has_no_warnings() -> None:
    assert warning_texts(condition("pro", [C] * 20) + condition("anti", [N] * 20)) == []
    assert warning_texts([]) == []


def test_warnings_on_one_condition() -> None:
    texts = warning_texts(condition("pro", [C] * 10 + [X] * 10 + [None] * 5, cut=8))
    assert [line.split(";")[0] for line in texts] == [
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
    assert [w.text for w in table.warnings if w.text.endswith("so the rates are marked *")] == [
        "pro: only 16 of 20 (80 %) trials are judged (0 failed at the judge); the others may "
        "differ, so the rates are marked *"
    ]


def test_truncation_that_depends_on_the_condition_gives_a_warning() -> None:
    texts = warning_texts(condition("baseline", [C] * 71, cut=15) + condition("anti", [N] * 71))
    assert texts[-1] == (
        "truncation depends on the condition: 15 of 71 (21 %) under baseline, "
        "0 of 71 (0 %) under anti; of the 71 scenarios under both, 15 have a higher share under "
        "baseline, 0 under anti (exact test, p < 0.001)"
    )


def test_a_dependence_states_the_counts_of_its_test() -> None:
    pro = condition("pro", [S] * 10 + [C] * 30)
    anti = condition("anti", [N] * 12 + [X] * 20 + [N] * 20)
    (text,) = (t for t in warning_texts(pro + anti) if t.startswith("refusal rate"))
    assert text == (
        "refusal rate depends on the condition: 10 of 40 (25 %) under pro, 0 of 32 (0 %) under "
        "anti; of the 20 scenarios under both, 10 have a higher share under pro, 0 under anti "
        "(exact test, p = 0.002)"
    )


def test_refusals_and_nonsense_that_depend_on_the_condition_give_warnings() -> None:
    texts = warning_texts(
        condition("pro", [S] * 12 + [C] * 59)
        + condition("anti", [N] * 71)
        + condition("placebo", [X] * 7 + [N] * 64)
    )
    assert [line.split(":")[0] for line in texts] == [
        "nonsensical share depends on the condition",
        "refusal rate depends on the condition",
    ]


def test_too_few_valid_pairs_give_a_warning() -> None:
    texts = warning_texts(
        condition("pro", [X] * 20 + [C] * 20) + condition("anti", [C] * 20 + [X] * 20)
    )
    none = "pro and anti: none of 40 scenarios is valid under both; there is no pair to test"
    assert none in texts
    texts = warning_texts(condition("pro", [C] * 40) + condition("anti", [C] * 20 + [X] * 20))
    assert any(line.startswith("pro and anti: only 20 of 40 scenarios valid") for line in texts)


def test_pending_trials_give_warnings_and_no_errors() -> None:
    texts = warning_texts(
        condition("pro", [None] * 3, generated=False) + condition("anti", [None] * 3)
    )
    assert texts[0].startswith("pro: only 0 of 3 (0 %) trials are judged")


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
    assert warning_texts(written("pro", texts)) == []
    assert warning_texts(written("pro", [*texts, "x", "x", "x", "x"])) == [
        "pro: 4 of 20 (20 %) answers are identical to the answer to another scenario"
    ]


def test_identical_samples_give_a_warning() -> None:
    texts = [f"{i // 3}" if i < 9 else f"{i}" for i in range(30)]
    assert warning_texts(written("pro", texts, samples=3)) == [
        "pro: in 3 of 10 (30 %) scenarios all samples are identical; they count as one"
    ]


def test_identical_answers_of_two_conditions_give_a_warning() -> None:
    same = [f"{i}" for i in range(10)]
    texts = warning_texts(written("pro", same) + written("anti", [*same[:5], *"abcde"]))
    assert texts == [
        "pro and anti: 5 of 10 (50 %) answers are identical; check that both conditions reach "
        "the model"
    ]
