"""Corrected rates: each model has its own."""

from dataclasses import replace

import pytest

from steertui.analysis.corrections import corrections
from steertui.analysis.judge_agreement import judge_agreement
from steertui.analysis.judge_panels import corrected_rows
from steertui.analysis.label_sample import AnswerKey
from steertui.core.judge_kind import JudgeKind
from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.store import JudgeInfo, ModelSetting

GOOD, BAD = (ModelSetting(digit * 64, name, name, 0.0) for digit, name in (("0", "a"), ("1", "b")))


def outcome(scenario: int, condition: str, label: Label) -> Outcome:
    return Outcome(
        scenario=str(scenario),
        category="c",
        condition=condition,
        sample=0,
        generated=True,
        truncated=False,
        label=label,
        failed=False,
    )


def test_a_judge_that_errs_on_one_model_is_corrected_for_that_model_alone() -> None:
    reference: dict[AnswerKey, Outcome] = {}
    judged: dict[AnswerKey, Outcome] = {}
    for setting in (GOOD, BAD):
        for condition, share in (("pro", 6), ("anti", 2)):
            for i in range(20):
                true = Label.CONVERGENCE if i % 10 < share else Label.NO_CONVERGENCE
                # The judge calls every fourth answer of the second model convergent.
                is_error = setting is BAD and i % 4 == 3
                given = Label.CONVERGENCE if is_error else true
                key = (setting, str(i), condition, 0)
                reference[key] = outcome(i, condition, true)
                judged[key] = outcome(i, condition, given)
    found = corrections(reference, "local:j", judged, ("pro", "anti"))
    assert [own.setting for own in found] == [GOOD, BAD]
    good, bad = (own.rates["anti"] for own in found)
    assert (good.raw, good.value) == (0.2, 0.2)
    assert bad.raw > 0.3
    assert bad.value is not None
    assert abs(bad.value - 0.2) < 1e-9
    for own in found:
        assert own.gap is not None
        assert abs(own.gap.value - 40) < 1e-9


def test_the_corrected_gap_is_that_of_the_declared_primary_comparison() -> None:
    shares = {"pro": 6, "anti": 2, "placebo": 4}
    judged: dict[AnswerKey, Outcome] = {
        (GOOD, str(i), name, 0): outcome(
            i, name, Label.CONVERGENCE if i % 10 < share else Label.NO_CONVERGENCE
        )
        for name, share in shares.items()
        for i in range(20)
    }
    person = JudgeInfo("human:a#1", "human:a", "", JudgeKind.HUMAN)
    judge = JudgeInfo("local:b#1", "local:b", "", JudgeKind.LOCAL)
    labels = [(person, {**judged}), (judge, {**judged})]
    for compared, points in ((("pro", "placebo"), 20.0), (None, None)):
        (pair,) = judge_agreement(labels, compared).comparisons
        (own,) = pair.corrections
        assert (own.gap and round(own.gap.value, 9)) == points
    extra = {(GOOD, "99", "pro", 0): outcome(99, "pro", Label.CONVERGENCE)}
    labels[1] = (judge, judged | extra)
    (pair,) = judge_agreement(labels, ("pro", "placebo")).comparisons
    assert [row[0] for row in corrected_rows(pair)][-1] == "pro − placebo"


def test_answers_that_nobody_labelled_have_no_correction() -> None:
    judged: dict[AnswerKey, Outcome] = {
        (GOOD, str(i), "pro", 0): outcome(i, "pro", Label.CONVERGENCE) for i in range(3)
    }
    (found,) = corrections({}, "local:j", judged, ("pro", "anti"))
    assert found.rates["pro"].value is None
    assert found.gap is None


@pytest.mark.parametrize(
    ("scenarios", "note"), [(3, "fewer than 4 scenarios checked under a condition"), (4, "")]
)
def test_a_gap_over_too_few_checked_scenarios_is_not_given_and_says_why(
    scenarios: int, note: str
) -> None:
    labels = {"pro": Label.CONVERGENCE, "anti": Label.NO_CONVERGENCE}
    reference: dict[AnswerKey, Outcome] = {
        (GOOD, str(i), name, 0): outcome(i, name, label)
        for name, label in labels.items()
        for i in range(scenarios)
    }
    unlabelled = {(GOOD, "9", "baseline", 0): outcome(9, "baseline", Label.CONVERGENCE)}
    judged = reference | unlabelled
    person = JudgeInfo("human:a#1", "human:a", "", JudgeKind.HUMAN)
    judge = JudgeInfo("local:b#1", "local:b", "", JudgeKind.LOCAL)
    (pair,) = judge_agreement([(person, reference), (judge, judged)]).comparisons
    own = corrections(reference, judge.id, judged, ("pro", "anti"))
    *_, (_, raw, value, interval, why) = corrected_rows(replace(pair, corrections=own))
    assert (raw, why) == ("+100.0", note)
    assert (value == "–", interval == "") == (bool(note), bool(note))


def test_a_rate_is_not_corrected_before_every_label_is_checked() -> None:
    judged: dict[AnswerKey, Outcome] = {
        (GOOD, str(i), "pro", 0): outcome(i, "pro", label) for i, label in enumerate(Label)
    }
    person = JudgeInfo("human:a#1", "human:a", "", JudgeKind.HUMAN)
    judge = JudgeInfo("local:b#1", "local:b", "", JudgeKind.LOCAL)
    for checked in (1, 2, 3):
        reference = {key: judged[key] for key in [*judged][:checked]}
        (pair,) = judge_agreement([(person, reference), (judge, judged)]).comparisons
        found = corrections(reference, judge.id, judged, ("pro", "anti"))
        (row,) = corrected_rows(replace(pair, corrections=found))
        assert row[2:] == ("–", "", f"{checked} of 4, not every label checked")


def test_a_rate_without_a_valid_checked_answer_says_so() -> None:
    judged: dict[AnswerKey, Outcome] = {
        (GOOD, str(i), name, 0): outcome(i, name, Label.SAFETY_REFUSAL)
        for name in ("pro", "anti")
        for i in range(4)
    }
    reference = {key: outcome(0, "pro", Label.NONSENSICAL) for key in [*judged][:4]}
    person = JudgeInfo("human:a#1", "human:a", "", JudgeKind.HUMAN)
    judge = JudgeInfo("local:b#1", "local:b", "", JudgeKind.LOCAL)
    (pair,) = judge_agreement([(person, reference), (judge, judged)]).comparisons
    found = corrections(reference, judge.id, judged, ("pro", "anti"))
    row = next(corrected_rows(replace(pair, corrections=found)))
    assert row[2:] == ("–", "", "4 of 4, all checked are nonsensical")


def test_a_model_that_is_added_takes_no_labels_from_the_first() -> None:
    """All answers of the first model are labelled, and none of the second."""
    true = [Label.CONVERGENCE, *[Label.NO_CONVERGENCE] * 7]
    cells = [(str(i), condition) for condition in ("pro", "anti") for i in range(8)]
    judged: dict[AnswerKey, Outcome] = {
        (setting, i, name, 0): outcome(int(i), name, Label.NO_CONVERGENCE)
        for setting in (GOOD, BAD)
        for i, name in cells
    }
    reference: dict[AnswerKey, Outcome] = {
        (GOOD, i, name, 0): outcome(int(i), name, true[int(i)]) for i, name in cells
    }
    first, second = (
        own.rates for own in corrections(reference, "local:j", judged, ("pro", "anti"))
    )
    for condition in ("pro", "anti"):
        assert (first[condition].references, first[condition].value) == (8, 1 / 8)
        assert (second[condition].references, second[condition].value) == (0, None)
