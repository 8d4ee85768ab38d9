"""Labels by hand: the queue is stratified, hides what would sway, and a second thought counts."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from steertui.caution import cautions
from steertui.cli import cli
from steertui.concord import compare
from steertui.errors import JudgeError
from steertui.label_queue import add_label, build, person
from steertui.store import Store
from steertui.verdict import Label, Verdict
from tests.judge.stored import made_up


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


def test_every_condition_and_label_comes_in_turn_small_margins_first(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        queue = build(store, experiment, "human:ann", "local:j")
    assert len(queue) == 16
    strata = {(i.condition, i.label) for i in queue}
    assert {(i.condition, i.label) for i in queue[: len(strata)]} == strata
    for stratum in strata:
        margins = [i.margin for i in queue if (i.condition, i.label) == stratum]
        assert margins == sorted(margins)


def test_a_second_thought_supersedes_and_nothing_is_edited(tmp_path: Path) -> None:
    experiment = stored(tmp_path / "a.db")
    with Store(tmp_path / "a.db") as store:
        key = build(store, experiment, "human:ann", "local:j")[0].key
        add_label(store, "human:ann", key, Label.NONSENSICAL)
        add_label(store, "human:ann", key, Label.CONVERGENCE, "read it again")
        assert store.judged(experiment, "human:ann") == 1
        assert len(store.query("SELECT * FROM verdicts WHERE judge = 'human:ann'")) == 2
        outcomes = [o for f in store.outcomes(experiment, "human:ann").values() for o in f]
        assert [o.label for o in outcomes if o.label] == [Label.CONVERGENCE]
        assert len(build(store, experiment, "human:ann", "local:j")) == 15
        assert len(build(store, experiment, "human:bob", "local:j", "random")) == 16


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
            readers = compare(store, experiment).readers
            return [s for s in cautions(store, experiment, readers) if s.startswith("human:")]

        keys = [item.key for item in build(store, experiment, "human:ann", "local:j", "random")]
        add_label(store, "human:ann", keys[0], Label.CONVERGENCE, order="random")
        assert "labelled 1 of 16 answers, drawn at random from each" in said()[0]
        add_label(store, "human:ann", keys[1], Label.CONVERGENCE)
        assert "2 of 16 answers, 1 of them not drawn at random (doubtful ones first)" in said()[0]
        for key in keys[2:]:
            add_label(store, "human:ann", key, Label.CONVERGENCE)
        assert not said()  # all are labelled: there is no sample
    done = CliRunner().invoke(cli, ["agree", str(tmp_path / "a.db")])
    assert (
        "! local:j: what the order of the labels in its rubric does was not measured"
        in " ".join(done.output.split())
    )


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(JudgeError, match="give a name of letters"):
        person("a b#c")
