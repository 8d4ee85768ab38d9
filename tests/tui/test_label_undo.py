"""Undo on the Label screen: each label is taken back, or stays where an agreement followed it."""

import getpass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from steertui.core.verdict import Label, Verdict
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from tests.fixtures.database import select
from tests.fixtures.label_screens import (
    ANSWERS,
    answer_shown,
    draw_batch_of,
    drive_stored,
    enter_does,
    own_labels,
    press_anew,
    queue_rows,
    shown,
    write,
)
from tests.fixtures.screens import press
from tests.fixtures.stored_answers import made_up


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    write(path)
    return path


def test_undo_restores_a_label_of_an_earlier_sitting(db: Path) -> None:
    with Store(db) as store:
        key = select(db, "SELECT trial FROM generations LIMIT 1")[0][0]
        store.add_judge("human:ada", "human:ada", {"kind": "a person", "title": ""})
        for label in ("convergence", "nonsensical"):
            store.add_verdict(str(key), Verdict("human:ada", Label(label)))
        store.remove_label("human:ada", str(key))
    assert own_labels(db) == [("convergence",)]


def test_only_labels_of_persons_are_removed(db: Path) -> None:
    verdicts = "SELECT trial, judge FROM verdicts"
    before = select(db, verdicts)
    assert before
    with Store(db) as store:
        for key, judge in before:
            store.remove_label(str(judge), str(key))
    assert select(db, verdicts) == before


def test_without_a_judge_undo_after_the_batch_is_what_the_screen_says(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["answer"])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c")
        assert "The answer of this batch is labelled." in shown(app)
        await press(pilot, "enter")
        assert "No judge labelled the answers of this experiment" in shown(app)
        assert "take the last label back" in shown(app)
        assert "stays stored" not in shown(app)
        await press(pilot, "u")
        assert own_labels(db) == []

    drive_stored(db, story)


def test_labels_of_earlier_sittings_are_taken_back_the_newest_first(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c", "n", "r")

    async def undo(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "u")
        assert own_labels(db) == [("convergence",), ("no_convergence",)]
        await press_anew(pilot, "x u u")
        assert own_labels(db) == [("convergence",)]
        await press_anew(pilot, "u u u")

    drive_stored(db, label)
    labelled = select(db, "SELECT trial FROM annotation_queue ORDER BY trial")
    drive_stored(db, undo)
    assert own_labels(db) == []
    assert queue_rows(db) == []
    drive_stored(db, label)
    assert select(db, "SELECT trial FROM annotation_queue ORDER BY trial") == labelled


def test_the_answer_of_a_label_taken_back_is_the_next_one(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c", "n")

    async def correct(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, order="uncertain")
        await press(pilot, "u", "x")

    drive_stored(db, label)
    by_time = "SELECT trial FROM verdicts WHERE judge LIKE 'human:%' ORDER BY id"
    before = select(db, by_time)
    drive_stored(db, correct)
    assert select(db, by_time) == before
    assert own_labels(db) == [("convergence",), ("nonsensical",)]


def test_labels_of_other_persons_and_experiments_are_never_taken_back(db: Path) -> None:
    only_first = str(select(db, "SELECT key FROM trials ORDER BY rowid DESC LIMIT 1")[0][0])
    second = made_up(db, ["an answer"] * 4, is_paired=True)
    in_second = "SELECT trial FROM experiment_trials WHERE experiment = ?"
    key = str(select(db, f"{in_second} LIMIT 1", [second])[0][0])
    me = f"human:{getpass.getuser()}"
    with Store(db) as store:
        for judge, trial in ((me, only_first), ("human:ada", key)):
            store.add_judge(judge, judge, {"kind": "a person", "title": ""})
            store.add_verdict(trial, Verdict(judge, Label.CONVERGENCE))
        assert store.last_label(second, me) is None

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press_anew(pilot, "5 n u u u")

    drive_stored(db, story)
    assert own_labels(db) == [("convergence",), ("convergence",)]


def test_a_label_that_the_agreement_followed_stays_and_the_next_one_counts(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press_anew(pilot, "5" + " c" * ANSWERS + " enter")
        assert "its label stays stored" in shown(app)

    async def again(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "u")
        assert "was given before the agreement was shown" in shown(app)
        assert len(own_labels(db)) == ANSWERS
        await press(pilot, "x")
        assert own_labels(db)[ANSWERS:] == [("nonsensical",)]
        await press(pilot, "u")  # given after it was shown: removed
        assert len(own_labels(db)) == ANSWERS
        await press(pilot, "x")

    drive_stored(db, label)
    drive_stored(db, again)
    assert len(own_labels(db)) == ANSWERS + 1
    last = "SELECT label FROM current_verdicts WHERE judge LIKE 'human:%' ORDER BY id DESC LIMIT 1"
    assert select(db, last) == [("nonsensical",)]


def labelled_answers(db: Path) -> list[str]:
    """Return the answers of the stored labels of persons, in the order they were given."""
    sql = """SELECT answer FROM verdicts JOIN generations USING (trial)
        WHERE judge LIKE 'human:%' ORDER BY verdicts.id"""
    return [str(answer) for (answer,) in select(db, sql)]


def test_after_the_agreement_each_undo_goes_one_label_back(db: Path) -> None:
    async def undo(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, size="2")
        await press_anew(pilot, "c c")
        assert enter_does(app) == "End batch"
        await press_anew(pilot, "enter")
        assert "enter  label the next batch" in shown(app)
        assert enter_does(app) == "Next batch"
        await press_anew(pilot, "enter c c enter")
        for answer in reversed(labelled_answers(db)):
            await press_anew(pilot, "u")
            assert answer_shown(app) == f"kept: {answer}"
        first, second, *_ = labelled_answers(db)
        await press_anew(pilot, "u")  # no label is older
        assert "0/4" in shown(app)
        await press_anew(pilot, "r")
        assert answer_shown(app) == f"kept: {second}"
        await press_anew(pilot, "u")
        assert answer_shown(app) == f"kept: {first}"
        await press_anew(pilot, "x")

    async def undo_later(pilot: Pilot[None], app: SteertuiApp) -> None:
        first, *_, last, _ = labelled_answers(db)
        await press_anew(pilot, "5 u")  # removes the label that no agreement followed
        assert answer_shown(app) == f"kept: {first}"
        await press_anew(pilot, "u")
        assert answer_shown(app) == f"kept: {last}"
        await press_anew(pilot, "n r")
        assert "another program" not in shown(app)

    drive_stored(db, undo)
    drive_stored(db, undo_later)
    answers = labelled_answers(db)
    assert answers[4:] == [answers[3], answers[0]]
    assert own_labels(db)[4:] == [(Label.NO_CONVERGENCE.value,), (Label.SAFETY_REFUSAL.value,)]
    assert queue_rows(db) == [("random", 4)]


def test_a_label_that_the_new_one_would_replace_is_never_removed_in_its_place(db: Path) -> None:
    key = str(select(db, "SELECT trial FROM generations LIMIT 1")[0][0])
    with Store(db) as store:
        store.add_judge("human:ada", "human:ada", {"kind": "a person", "title": ""})
        store.add_verdict(key, Verdict("human:ada", Label.CONVERGENCE))
        former = int(str(select(db, "SELECT max(id) FROM verdicts")[0][0]))
        store.remove_label("human:ada", key, former)
    assert own_labels(db) == [("convergence",)]
