"""Annotation queue: strata, hidden condition and label, random samples, later labels."""

from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from steertui.analysis.judge_agreement import PairedJudges, compare_judges
from steertui.analysis.judge_caveats import judge_caveats, sample_caveat
from steertui.analysis.label_queue import (
    AlreadyLabelledError,
    QueueItem,
    QueueOrder,
    add_label,
    annotator_id,
    build_queue,
)
from steertui.analysis.summary import ReportFilter, summarise
from steertui.cli import cli
from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label, Verdict
from steertui.errors import JudgeError
from steertui.store import JudgeInfo, Store
from tests.fixtures.database import select
from tests.fixtures.stored_answers import made_up


def stored(db: Path) -> str:
    """Store answers with a judge's labels and margins; return the experiment."""
    experiment = made_up(db, [f"answer {i}" for i in range(16)])
    with Store(db) as store:
        store.add_judge("local:j", "local:j", {"title": ""})
        for i, a in enumerate(store.unjudged_answers(experiment, "local:j")):
            top = 0.5 + 0.03 * i
            probabilities = (top, 1 - top, 0.0, 0.0) if i % 4 < 3 else (1 - top, top, 0.0, 0.0)
            label = Label.CONVERGENCE if i % 4 < 3 else Label.NO_CONVERGENCE
            store.add_verdict(a.key, Verdict("local:j", label, probabilities=probabilities))
    return experiment


def queue_of_ann(
    store: Store, experiment: str, order: QueueOrder = QueueOrder.UNCERTAIN
) -> list[QueueItem]:
    """Return ann's queue."""
    return build_queue(store, experiment, "human:ann", "local:j", order)


def checked(store: Store, experiment: str) -> dict[str, int]:
    """Return by condition the number of ann's labels that correct the judge's rate."""
    (pair,) = compare_judges(store, experiment).comparisons
    (correction,) = pair.corrections
    return {name: rate.references for name, rate in correction.rates.items()}


def references(pair: PairedJudges) -> int:
    """Return the number of labels that correct the second judge's rates."""
    return sum(rate.references for own in pair.corrections for rate in own.rates.values())


def test_strata_alternate_with_small_margins_first(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        queue = build_queue(store, experiment, "human:ann", "local:j")
    assert len(queue) == 16
    strata = {(i.condition, i.label) for i in queue}
    assert {(i.condition, i.label) for i in queue[: len(strata)]} == strata
    for stratum in strata:
        margins = [i.margin for i in queue if (i.condition, i.label) == stratum]
        assert margins == sorted(margins)


def test_two_people_with_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        first = queue_of_ann(store, experiment)[0]
        second = queue_of_ann(store, experiment)[0]
        add_label(store, "human:ann", first, Label.NONSENSICAL)
        with pytest.raises(AlreadyLabelledError, match="that label stays"):
            add_label(store, "human:ann", second, Label.CONVERGENCE)
        labels = "SELECT label FROM verdicts WHERE judge = 'human:ann'"
        assert store.column(labels) == [Label.NONSENSICAL]
        add_label(store, "human:bob", second, Label.CONVERGENCE)


def test_the_prompt_goes_on_after_an_answer_that_the_same_name_labelled(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    experiment = stored(db)

    class Interrupted(BytesIO):
        """Input that is read after another program has labelled the first answer."""

        def read1(self, size: int | None = -1, /) -> bytes:
            with Store(db) as store:
                if not store.count_judged(experiment, "human:ann"):
                    item = queue_of_ann(store, experiment)[0]
                    add_label(store, "human:ann", item, Label.NONSENSICAL)
            return super().read1(size)

    typed = Interrupted(b"c\nr\nq\n")
    result = CliRunner().invoke(cli, ["label", str(db), "--annotator", "ann"], input=typed)
    assert result.exit_code == 0
    assert "ann has labelled this answer in another program" in result.output
    assert "Answers labelled by human:ann: 2" in result.output
    labels = select(db, "SELECT label FROM verdicts WHERE judge = 'human:ann' ORDER BY id")
    assert labels == [(Label.NONSENSICAL,), (Label.SAFETY_REFUSAL,)]


def test_a_later_label_supersedes_and_both_are_stored(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        item = build_queue(store, experiment, "human:ann", "local:j")[0]
        add_label(store, "human:ann", item, Label.NONSENSICAL)
        again = build_queue(store, experiment, "human:ann", "local:j", again=item.key)[0]
        assert again.key == item.key
        add_label(store, "human:ann", again, Label.CONVERGENCE, "second reading")
        assert store.count_judged(experiment, "human:ann") == 1
        assert len(store.query("SELECT * FROM verdicts WHERE judge = 'human:ann'")) == 2
        outcomes = [o for f in store.outcomes(experiment, "human:ann").values() for o in f]
        assert [o.label for o in outcomes if o.label] == [Label.CONVERGENCE]
        assert len(build_queue(store, experiment, "human:ann", "local:j")) == 15
        assert len(build_queue(store, experiment, "human:bob", "local:j", QueueOrder.RANDOM)) == 16


def test_the_command_hides_condition_and_label_until_the_answer_is_labelled(tmp_path: Path) -> None:
    stored(tmp_path / "a.db")
    command = ["label", str(tmp_path / "a.db"), "--annotator", "ann", "--limit", "2"]
    result = CliRunner().invoke(cli, command, input="c\ns\n")
    assert result.exit_code == 0, result.output
    before, _, after = result.output.partition("Stored. Condition: ")
    assert "Go on." not in before
    assert "Stop." not in before
    assert after.startswith(("pro; local:j", "anti; local:j"))
    assert "Answers labelled by human:ann: 1." in after


def test_the_command_shows_the_judges_name_and_not_its_id(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        store.add_judge("local:k#0123.2", "local:k", {"title": ""})
        for answer in store.unjudged_answers(experiment, "local:k#0123.2"):
            store.add_verdict(answer.key, Verdict("local:k#0123.2", Label.CONVERGENCE))
    command = ["label", str(tmp_path / "a.db"), "--annotator", "ann", "--reference", "local:k"]
    result = CliRunner().invoke(cli, command, input="c\nq\n")
    assert result.exit_code == 0, result.output
    assert "; local:k: convergence" in result.output


def test_a_limit_below_0_is_refused(tmp_path: Path) -> None:
    stored(tmp_path / "a.db")
    command = ["label", str(tmp_path / "a.db"), "--annotator", "ann", "--limit", "-3"]
    result = CliRunner().invoke(cli, command, input="q\n")
    assert result.exit_code == 2
    assert "Invalid value for '--limit': -3 is not in the range x>=0" in result.output


def test_agreement_has_a_caveat_on_labels_that_are_no_random_sample(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:

        def caveats() -> list[str]:
            judges = compare_judges(store, experiment).judges
            return [s for s in judge_caveats(store, experiment, judges) if s.startswith("human:")]

        add_label(
            store,
            "human:ann",
            queue_of_ann(store, experiment, QueueOrder.RANDOM)[0],
            Label.CONVERGENCE,
        )
        assert "labelled 1 of 16 answers, drawn at random in equal parts" in caveats()[0]
        assert "precision and recall apply to that mix, not to all answers" in caveats()[0]
        uncertain = queue_of_ann(store, experiment)
        add_label(store, "human:ann", uncertain[0], Label.CONVERGENCE)
        assert (
            "2 of 16 answers, 1 of them not drawn at random (uncertain ones first)" in caveats()[0]
        )
        for item in uncertain[1:]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert not caveats()  # all answers are labelled
    result = CliRunner().invoke(cli, ["agree", str(tmp_path / "a.db")])
    assert "! local:j: the effect of the rubric's label order was not measured" in " ".join(
        result.output.split()
    )


def test_a_sample_from_before_any_label_of_a_judge_is_not_called_one_of_labels(
    tmp_path: Path,
) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        human = JudgeInfo("human:ann", "human:ann", "", JudgeKind.HUMAN, "")
        first = build_queue(store, experiment, human.id, "", QueueOrder.RANDOM)[0]
        add_label(store, human.id, first, Label.CONVERGENCE)
        (caveat,) = sample_caveat(store, experiment, human)
        assert "from each labelled condition: raw agreement" in caveat
        assert "ordered the queue" not in caveat
        second = queue_of_ann(store, experiment, QueueOrder.RANDOM)[0]
        add_label(store, human.id, second, Label.CONVERGENCE)
        (caveat,) = sample_caveat(store, experiment, human)
        assert "from each labelled condition and, except for 1 of them, label: raw" in caveat


@pytest.mark.parametrize("reference", ["", "local:j"])
def test_labels_of_a_queue_from_before_other_answers_are_no_sample_of_all(
    tmp_path: Path, reference: str
) -> None:
    """The queue is made of the answers that exist, here the last ones of the random order."""
    db = tmp_path / "a.db"
    experiment = stored(db)
    with Store(db) as store:
        human = JudgeInfo("human:ann", "human:ann", "", JudgeKind.HUMAN, "")
        late = build_queue(store, experiment, human.id, reference, QueueOrder.RANDOM)[-3:]
        for item in late:
            add_label(store, human.id, item, Label.CONVERGENCE)
        (caveat,) = sample_caveat(store, experiment, human)
        assert "3 of 16 answers, 3 of them drawn before other answers were stored" in caveat
        assert "they are no random sample of all answers" in caveat
        assert checked(store, experiment) == {"pro": 0, "anti": 0}
        table = next(t for t in summarise(store, ReportFilter()).tables if t.judge == human)
        assert not table.draws_headline
        assert "at random in equal parts" not in table.judge_sentence or reference


def test_corrected_rates_use_only_labels_drawn_at_random(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        for item in queue_of_ann(store, experiment)[:4]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert checked(store, experiment) == {"pro": 0, "anti": 0}
    result = CliRunner().invoke(cli, ["agree", str(tmp_path / "a.db")])
    assert "0 of 8, none drawn at random" in result.output
    with Store(tmp_path / "a.db") as store:
        for item in queue_of_ann(store, experiment, QueueOrder.RANDOM)[:6]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        references = checked(store, experiment)
        assert (
            6 <= sum(references.values()) <= 10
        )  # an uncertain one may be among the first at random
        for item in queue_of_ann(store, experiment):
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert checked(store, experiment) == {"pro": 8, "anti": 8}


def test_a_random_sample_ends_at_a_skipped_answer(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        queue = queue_of_ann(store, experiment, QueueOrder.RANDOM)
        stratum = [i for i in queue if (i.condition, i.label) == ("pro", Label.CONVERGENCE)]
        assert [i.random_key for i in stratum] == sorted(i.random_key for i in stratum)
        for item in (stratum[0], stratum[2], stratum[3]):
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert checked(store, experiment)["pro"] == 1
        add_label(store, "human:ann", stratum[1], Label.CONVERGENCE)
        assert checked(store, experiment)["pro"] == 4


def test_a_sample_by_one_judges_labels_does_not_correct_another_judge(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        store.add_judge("local:k", "local:k", {"title": ""})
        for answer in store.unjudged_answers(experiment, "local:k"):
            store.add_verdict(answer.key, Verdict("local:k", Label.CONVERGENCE))
        for item in queue_of_ann(store, experiment, QueueOrder.RANDOM)[:6]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        found = {
            (c.first.name, c.second.name): references(c)
            for c in compare_judges(store, experiment).comparisons
        }
        assert found == {
            ("human:ann", "local:j"): 6,
            ("human:ann", "local:k"): 0,
            ("local:j", "local:k"): 0,
        }
        # Without probabilities there are no margins: the queue is in random order.
        queue = build_queue(store, experiment, "human:bob", "local:k")
        assert all(item.is_random and item.reference == "local:k" for item in queue)
        for item in queue[:5]:
            add_label(store, "human:bob", item, Label.CONVERGENCE)
        pair = compare_judges(store, experiment, ["human:bob", "local:k"]).comparisons[0]
        assert references(pair) == 5


def test_an_invalid_annotator_name_raises_judge_error() -> None:
    with pytest.raises(JudgeError, match="not a valid name: it has ' ';"):
        annotator_id("a b#c")
