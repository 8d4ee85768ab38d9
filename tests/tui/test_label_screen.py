"""Label screen: letters label, digits change the screen, agreement comes last."""

import asyncio
import getpass
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.analysis.label_queue import QueueOrder, add_label, build_queue
from steertui.core.experiment import Experiment
from steertui.core.verdict import LABEL_KEYS, Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.store.run_lock import run_lock
from steertui.tui.app import SteertuiApp
from steertui.tui.label.batch import LabelCounts, draw_batch
from steertui.tui.label.label_screen import LabelScreen
from steertui.tui.label.label_text import progress
from steertui.tui.read.trial_list import TrialList
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.session import open_session
from steertui.tui.widgets.label_style import ON_DARK
from steertui.tui.widgets.long_text import LongText
from tests.fixtures.database import execute, select
from tests.fixtures.label_screens import (
    ANSWERS,
    JUDGE,
    draw_batch_of,
    drive_stored,
    enter_does,
    fill,
    hold,
    own_labels,
    press_anew,
    queue_rows,
    shown,
    write,
)
from tests.fixtures.screens import drive, press, type_at_once, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    write(path)
    return path


def test_digits_change_the_screen_and_write_no_label(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "4")
        assert isinstance(app.screen, ResultsScreen)
        await press(pilot, "5", "1", "5", "2", "5", "3", "5")
        assert isinstance(app.screen, LabelScreen)

    drive_stored(db, story)
    assert own_labels(db) == []


def test_letters_label_and_undo_removes_each_label_from_the_store(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", *LABEL_KEYS.values())
        assert own_labels(db) == [(label.value,) for label in LABEL_KEYS]
        assert "4 of 12 labelled by" in shown(app)
        await press(pilot, "u", "ctrl+z")
        assert own_labels(db) == [(Label.CONVERGENCE.value,), (Label.NO_CONVERGENCE.value,)]
        assert queue_rows(db) == [("random", 2)]
        await press_anew(pilot, "x u u u u")
        assert own_labels(db) == []
        assert queue_rows(db) == []

    drive_stored(db, story)


def test_labels_typed_without_a_pause_are_stored_in_order(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await pilot.press("c", "n", "u", "r", "u", "x")
        await press(pilot, "c")
        assert own_labels(db) == [("convergence",), ("nonsensical",), ("convergence",)]

    drive_stored(db, story)


def test_a_held_key_acts_once_and_quick_presses_all_act(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await hold(pilot, app, "c", 9)
        assert own_labels(db) == [("convergence",)]
        for _ in range(3):
            await asyncio.sleep(0.25)
            type_at_once(app, "c")
        type_at_once(app, "n x")
        await wait_until(pilot, lambda: len(own_labels(db)) == 6)
        assert own_labels(db)[1:] == [
            *[("convergence",)] * 3,
            ("no_convergence",),
            ("nonsensical",),
        ]
        await hold(pilot, app, "u", 9)
        await wait_until(pilot, lambda: len(own_labels(db)) == 5)
        type_at_once(app, "c u c u")
        await wait_idle(pilot)
        assert len(own_labels(db)) == 5

    drive_stored(db, story)


def test_keys_wait_until_the_answer_that_they_label_is_drawn(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        screen = app.screen
        assert isinstance(screen, LabelScreen)
        screen.action_label("convergence")
        assert screen.is_loading
        await wait_until(pilot, lambda: not screen.is_loading, seconds=10)

    drive_stored(db, story)


def test_agreement_is_hidden_until_the_batch_has_ended(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        for _ in range(ANSWERS):
            assert "kappa" not in shown(app)
            assert "labels as" not in shown(app)
            await press_anew(pilot, "c")
        assert "labels as" not in shown(app)
        assert "All 12 answers of this batch are labelled" in shown(app)
        await press(pilot, "u", "n", "enter")
        assert "Agreement: " in shown(app)
        assert "next batch" not in shown(app)
        assert enter_does(app) == ""
        assert "(95 % interval " in shown(app)
        await press(pilot, "u")
        assert len(own_labels(db)) == ANSWERS  # the agreement is known, so no label is removed

    drive_stored(db, story)


def test_the_first_answer_is_as_wide_as_the_screen_after_it_had_none(
    db: Path, tmp_path: Path
) -> None:
    """Label is visited before there is an experiment, and again when one is open."""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        assert "No answers to label" in shown(app)
        await press(pilot, "ctrl+o")
        app.screen.query_one(Input).value = str(db)
        app.screen.query_one(Input).focus()
        await press(pilot, "enter", "5")
        long_text = app.screen.query_one(LongText)
        assert long_text.virtual_size.width > app.size.width // 2
        lines = [long_text.render_line(y).text.strip() for y in range(long_text.size.height)]
        assert any(line.startswith("answer ") for line in lines)

    drive_stored(tmp_path / "none.db", story)


def test_no_key_labels_an_answer_of_the_experiment_that_was_open_before(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "1")
        assert app.open(db, Experiment(), "")
        await press(pilot, "5")
        assert "No answers to label" in shown(app)
        await press(pilot, "c", "u", "space", "enter", "x")

    drive_stored(db, story)
    assert own_labels(db) == []


def test_two_people_with_one_name_do_not_overwrite_each_other(db: Path) -> None:
    me = f"human:{getpass.getuser()}"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        with Store(db) as store:
            item = build_queue(store, app.session.id, me, JUDGE, QueueOrder.RANDOM)[0]
            add_label(store, me, item, Label.SAFETY_REFUSAL)
        await press(pilot, "c")
        assert own_labels(db) == [(Label.SAFETY_REFUSAL.value,)]
        assert "0/11" in shown(app)
        await press_anew(pilot, "c u n")
        assert own_labels(db) == [(Label.SAFETY_REFUSAL.value,), (Label.NO_CONVERGENCE.value,)]

    drive_stored(db, story)


def test_the_end_says_how_the_answers_were_drawn_and_which_judge_labelled_none(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, size="2")
        await press_anew(pilot, "c c enter")
        text = " ".join(shown(app).split())
        assert "labelled 2 of 12 answers, drawn at random in equal parts" in text
        assert "apply to that mix, not to all answers" in text
        for key, _ in select(db, "SELECT trial, id FROM verdicts WHERE judge LIKE 'human:%'"):
            execute(db, "DELETE FROM verdicts WHERE trial = ? AND judge = ?", [key, JUDGE])
        with run_lock(db, ""):
            await press(pilot, "u", "c", "enter")
        assert "fake labelled none of the answers that you labelled" in shown(app)
        assert "a run or a judge is at work" in shown(app)
        assert "where l labels" not in shown(app)
        app.session.experiment = Experiment(judges=[JUDGE])
        with run_lock(db, app.session.id):
            await press_anew(pilot, "u c enter")
        assert "the run in progress labels answers" in shown(app)
        assert "after it" not in shown(app)
        with Store(db) as store:
            store.add_verdict(str(key), Verdict(JUDGE, Label.CONVERGENCE))
        await press(pilot, "4", "5")
        await wait_until(pilot, lambda: "Agreement:" in shown(app))
        assert "in progress" not in shown(app)

    drive_stored(db, story)


def test_disagreements_of_an_ended_batch_are_read_and_no_others(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press_anew(pilot, "5" + " x" * ANSWERS + " enter")
        await press(pilot, "d")
        assert len(app.screen.query_one(TrialList)) == ANSWERS // 3
        await press(pilot, "x")
        assert len(app.screen.query_one(TrialList)) == ANSWERS

    drive_stored(db, story)


def test_a_batch_without_probabilities_is_called_random(tmp_path: Path) -> None:
    experiment = made_up(tmp_path / "a.db", ["an answer"] * 4)
    with Store(tmp_path / "a.db") as store:
        batch = draw_batch(store, experiment, "human:ada", 3, QueueOrder.UNCERTAIN)
    shown_line = progress(batch, LabelCounts(0, 4), "ada", 120, ON_DARK).plain
    assert shown_line.endswith("random order")


def test_the_progress_has_the_answers_of_one_time(tmp_path: Path) -> None:
    """A run had stored another answer between the batch and the count: "0/4 … 0 of 5"."""
    experiment = made_up(tmp_path / "a.db", ["an answer"] * 4)
    with Store(tmp_path / "a.db") as store:
        batch = draw_batch(store, experiment, "human:ada", 9, QueueOrder.RANDOM)
    shown_line = progress(batch, LabelCounts(0, 5), "ada", 120, ON_DARK).plain
    assert "0/4   0 of 4 labelled by ada" in shown_line


def test_a_batch_has_the_chosen_size_and_order(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    write(db, (0.6, 0.0, 0.0, 0.4))

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await draw_batch_of(pilot, app, name="a b", order="uncertain")
        for size in ("0", "1.5", "1000001", "9" * 5000):
            await fill(pilot, app, size=size)
            problem = str(app.screen.query_one("#problem", Static).render())
            assert "is not an integer from 1 to 1,000,000; enter one" in problem
        await fill(pilot, app, size="3")
        assert "annotator a b: not a valid name" in str(
            app.screen.query_one("#problem", Static).render()
        )
        await fill(pilot, app, name="ada")
        assert "0/3" in shown(app)
        assert "0 of 12 labelled by ada" in shown(app)
        assert "uncertain order" in shown(app)
        await press_anew(pilot, "c space c c")
        assert "All 3 answers" in shown(app)

    async def later(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        assert "0/3" in shown(app)
        assert "3 of 12 labelled by ada" in shown(app)

    drive_stored(db, story)
    assert select(db, "SELECT judge, count(*) FROM verdicts WHERE judge LIKE 'human:%'") == [
        ("human:ada", 3)
    ]
    drive_stored(db, later)


def test_the_progress_names_the_annotator_at_80_columns(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["an answer"] * 252)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        head = app.screen.query_one("#label-head", Static)
        text = str(head.render())
        assert f"0 of 252 labelled by {getpass.getuser()}" in text
        assert len(text) <= head.content_size.width

    drive(open_session(None, db, Overrides(threads=1)), story, (80, 24))
