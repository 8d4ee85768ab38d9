"""Labels by hand: the queue is stratified, hides what would sway, and a second thought counts."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from steertui.analysis.judge_agreement import compare_judges
from steertui.analysis.judge_caveats import judge_caveats
from steertui.analysis.label_queue import QueueItem, add_label, annotator_id, build_queue
from steertui.cli import cli
from steertui.core.verdict import Label, Verdict
from steertui.errors import JudgeError
from steertui.store import Store
from tests.fixtures.stored_answers import made_up


def stored(db: Path) -> str:
    """Return an experiment whose answers a judge has read, with margins."""
    experiment = made_up(db, [f"answer {i}" for i in range(16)])
    with Store(db) as store:
        store.add_judge("local:j", "local:j", {"title": ""})
        for i, a in enumerate(store.unjudged(experiment, "local:j")):
            top = 0.5 + 0.03 * i
            chances = (top, 1 - top, 0.0, 0.0) if i % 4 < 3 else (1 - top, top, 0.0, 0.0)
            label = Label.CONVERGENCE if i % 4 < 3 else Label.NO_CONVERGENCE
            store.add_verdict(a.key, Verdict("local:j", label, probabilities=chances))
    return experiment


def drawn(store: Store, experiment: str, order: str = "doubtful") -> list[QueueItem]:
    """Return what waits for ann."""
    return build_queue(store, experiment, "human:ann", "local:j", order)


def checked(store: Store, experiment: str) -> dict[str, int]:
    """Return by condition how many of ann's labels the judge's rate is corrected by."""
    (pair,) = compare_judges(store, experiment).comparisons
    return {name: rate.references for name, rate in pair.corrected.items()}


def test_every_condition_and_label_comes_in_turn_small_margins_first(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        queue = build_queue(store, experiment, "human:ann", "local:j")
    assert len(queue) == 16
    strata = {(i.condition, i.label) for i in queue}
    assert {(i.condition, i.label) for i in queue[: len(strata)]} == strata
    for stratum in strata:
        margins = [i.margin for i in queue if (i.condition, i.label) == stratum]
        assert margins == sorted(margins)


def test_a_second_thought_supersedes_and_nothing_is_edited(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        item = build_queue(store, experiment, "human:ann", "local:j")[0]
        add_label(store, "human:ann", item, Label.NONSENSICAL)
        add_label(store, "human:ann", item, Label.CONVERGENCE, "read it again")
        assert store.judged(experiment, "human:ann") == 1
        assert len(store.query("SELECT * FROM verdicts WHERE judge = 'human:ann'")) == 2
        outcomes = [o for f in store.outcomes(experiment, "human:ann").values() for o in f]
        assert [o.label for o in outcomes if o.label] == [Label.CONVERGENCE]
        assert len(build_queue(store, experiment, "human:ann", "local:j")) == 15
        assert len(build_queue(store, experiment, "human:bob", "local:j", "random")) == 16


def test_the_prompt_hides_condition_and_label_until_answered(tmp_path: Path) -> None:
    stored(tmp_path / "a.db")
    command = ["label", str(tmp_path / "a.db"), "--as", "ann", "--count", "2"]
    done = CliRunner().invoke(cli, command, input="c\ns\n")
    assert done.exit_code == 0, done.output
    before, _, after = done.output.partition("stored; it was ")
    assert "Go on." not in before
    assert "Stop." not in before
    assert after.startswith(("pro, local:j", "anti, local:j"))
    assert "1 answers bear a label of human:ann" in after


def test_agreement_warns_of_labels_that_are_no_random_sample(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:

        def said() -> list[str]:
            readers = compare_judges(store, experiment).judges
            return [s for s in judge_caveats(store, experiment, readers) if s.startswith("human:")]

        add_label(store, "human:ann", drawn(store, experiment, "random")[0], Label.CONVERGENCE)
        assert "labelled 1 of 16 answers, drawn at random from each" in said()[0]
        doubtful = drawn(store, experiment)
        add_label(store, "human:ann", doubtful[0], Label.CONVERGENCE)
        assert "2 of 16 answers, 1 of them not drawn at random (doubtful ones first)" in said()[0]
        for item in doubtful[1:]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert not said()  # all are labelled: there is no sample
    done = CliRunner().invoke(cli, ["agree", str(tmp_path / "a.db")])
    assert (
        "! local:j: what the order of the labels in its rubric does was not measured"
        in " ".join(done.output.split())
    )


def test_corrected_rates_rest_on_labels_drawn_at_random_alone(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        for item in drawn(store, experiment)[:4]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert checked(store, experiment) == {"pro": 0, "anti": 0}
    done = CliRunner().invoke(cli, ["agree", str(tmp_path / "a.db")])
    assert "0 of 8, none drawn at random" in done.output
    with Store(tmp_path / "a.db") as store:
        for item in drawn(store, experiment, "random")[:6]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        some = checked(store, experiment)
        assert 6 <= sum(some.values()) <= 10  # a doubtful one that came first anyhow is among them
        for item in drawn(store, experiment):
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert checked(store, experiment) == {"pro": 8, "anti": 8}  # all are labelled


def test_a_sample_ends_at_the_answer_that_was_passed_over(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        queue = drawn(store, experiment, "random")
        stratum = [i for i in queue if (i.condition, i.label) == ("pro", Label.CONVERGENCE)]
        assert [i.place for i in stratum] == sorted(i.place for i in stratum)
        for item in (stratum[0], stratum[2], stratum[3]):
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        assert checked(store, experiment)["pro"] == 1
        add_label(store, "human:ann", stratum[1], Label.CONVERGENCE)
        assert checked(store, experiment)["pro"] == 4


def test_a_sample_of_one_judges_labels_is_none_of_anothers(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        store.add_judge("local:k", "local:k", {"title": ""})
        for answer in store.unjudged(experiment, "local:k"):
            store.add_verdict(answer.key, Verdict("local:k", Label.CONVERGENCE))
        for item in drawn(store, experiment, "random")[:6]:
            add_label(store, "human:ann", item, Label.CONVERGENCE)
        found = {
            (c.first.name, c.second.name): sum(r.references for r in c.corrected.values())
            for c in compare_judges(store, experiment).comparisons
        }
        assert found == {
            ("human:ann", "local:j"): 6, ("human:ann", "local:k"): 0, ("local:j", "local:k"): 0
        }  # fmt: skip
        # Without likelihoods there are no doubtful ones: the queue is in random order anyhow.
        queue = build_queue(store, experiment, "human:bob", "local:k")
        assert all(item.is_random and item.reference == "local:k" for item in queue)
        for item in queue[:5]:
            add_label(store, "human:bob", item, Label.CONVERGENCE)
        pair = compare_judges(store, experiment, ["human:bob", "local:k"]).comparisons[0]
        assert sum(r.references for r in pair.corrected.values()) == 5


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(JudgeError, match="give a name of letters"):
        annotator_id("a b#c")
