"""Label screen: letters label, digits change the screen, undo removes, agreement comes last."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from steertui.core.verdict import LABEL_KEYS, Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp, open_session
from steertui.tui.label.label_screen import LabelScreen
from steertui.tui.read.trial_list import TrialList
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.widgets.long_text import LongText
from tests.fixtures.database import select
from tests.fixtures.screens import Story, drive, press
from tests.fixtures.stored_answers import made_up

ANSWERS = 12
JUDGE = "openai:fake"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    made_up(path, [f"answer {n}" for n in range(ANSWERS)])
    with Store(path) as store:
        store.add_judge(JUDGE, "fake", {"kind": "server", "title": ""})
        for n, (key,) in enumerate(select(path, "SELECT trial FROM generations")):
            label = Label.NONSENSICAL if n % 3 else Label.CONVERGENCE
            store.add_verdict(str(key), Verdict(JUDGE, label))
    return path


def drive_stored(db: Path, story: Story) -> None:
    """Open the database's newest experiment and run the story."""
    drive(open_session(None, db, Overrides(threads=1)), story)


def own_labels(db: Path) -> list[tuple[object, ...]]:
    """Return the stored labels of persons, in the order they were given."""
    return select(db, "SELECT label FROM verdicts WHERE judge LIKE 'human:%' ORDER BY id")


def queue_rows(db: Path) -> list[tuple[object, ...]]:
    return select(db, "SELECT ordering, count(*) FROM annotation_queue GROUP BY 1")


def shown(app: SteertuiApp) -> str:
    """Return the texts of the Label screen."""
    parts = [str(static.render()) for static in app.screen.query(Static)]
    return "\n".join([*parts, app.screen.query_one(LongText).text])


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
        await press(pilot, "u", "ctrl+z")
        assert own_labels(db) == [(Label.CONVERGENCE.value,), (Label.NO_CONVERGENCE.value,)]
        assert queue_rows(db) == [("random", 2)]
        await press(pilot, "x", "u", "u", "u", "u")
        assert own_labels(db) == []
        assert queue_rows(db) == []

    drive_stored(db, story)


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


def test_labels_typed_without_a_pause_are_stored_in_order(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        await pilot.press("c", "n", "u", "r", "u", "x")
        await press(pilot, "c")
        assert own_labels(db) == [("convergence",), ("nonsensical",), ("convergence",)]

    drive_stored(db, story)


def test_agreement_is_hidden_until_the_batch_has_ended(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        for _ in range(ANSWERS):
            assert "kappa" not in shown(app)
            assert "labels as" not in shown(app)
            await press(pilot, "c")
        assert "labels as" not in shown(app)
        assert "All 12 answers of this batch are labelled" in shown(app)
        await press(pilot, "u", "n", "enter")
        assert "Agreement: " in shown(app)
        await press(pilot, "u")  # too late: the agreement is known
        assert len(own_labels(db)) == ANSWERS

    drive_stored(db, story)


def test_disagreements_of_an_ended_batch_are_read_and_no_others(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", *["x"] * ANSWERS, "enter")
        await press(pilot, "d")
        assert len(app.screen.query_one(TrialList)) == ANSWERS // 3
        await press(pilot, "x")
        assert len(app.screen.query_one(TrialList)) == ANSWERS

    drive_stored(db, story)


def test_a_batch_has_the_chosen_size_and_order(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "b", "down", "enter")
        app.screen.query_one(Input).value = "3"
        await press(pilot, "enter")
        assert "0/3" in shown(app)
        assert "uncertain order" in shown(app)
        await press(pilot, "c", "space", "c", "c")
        assert "All 3 answers" in shown(app)

    drive_stored(db, story)
    assert len(own_labels(db)) == 3


def test_a_label_stays_after_the_program_was_closed_as_the_dialog_says(db: Path) -> None:
    async def label(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "c", "b", "enter")
        question = "\n".join(str(static.render()) for static in app.screen.query(Static))
        assert "or the program is closed" in question

    async def undo(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5", "u")

    drive_stored(db, label)
    drive_stored(db, undo)
    assert own_labels(db) == [(Label.CONVERGENCE.value,)]
