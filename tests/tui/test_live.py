"""Screens follow the database: a run in progress, a pause, labels of other processes."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from steertui.core.experiment import Experiment
from steertui.core.verdict import Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.judges.judges_screen import JudgesScreen
from steertui.tui.read.read_screen import ReadScreen
from steertui.tui.run.run_controls import PAUSED
from steertui.tui.run.run_screen import GONE
from steertui.tui.session import Session, open_session
from steertui.tui.widgets import live_page
from steertui.tui.widgets.long_text import LongText
from steertui.tui.widgets.stable_table import StableTable
from tests.fixtures.database import select
from tests.fixtures.frames import frame
from tests.fixtures.run_screens import drive_run, drive_stored, run_screen
from tests.fixtures.screens import drive, press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up


@pytest.fixture(autouse=True)
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for changes often."""
    monkeypatch.setattr(live_page, "LOOK_INTERVAL", 0.1)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with 12 answers and no label."""
    path = tmp_path / "a.db"
    made_up(path, [f"Answer {n}. " + "A word. " * 400 for n in range(12)], is_paired=True)
    return path


def label_all(db: Path, judge: str = "late") -> None:
    """Label all answers from another connection."""
    with Store(db) as store:
        store.add_judge(judge, judge, {"kind": "other", "title": ""})
        for key in sorted(store.answered_keys(store.resolve_experiment())):
            store.add_verdict(key, Verdict(judge, Label.CONVERGENCE))


def shown(app: SteertuiApp) -> str:
    """Return all plain text of the screen."""
    return frame(app)[0]


@pytest.mark.parametrize("page", ["2", "3", "4"])
def test_labels_of_another_process_appear_on_the_shown_screen(db: Path, page: str) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, page)
        assert "late" not in shown(app)
        label_all(db)
        await wait_until(pilot, lambda: "late" in shown(app))

    drive_stored(db, story)


def test_a_judge_is_listed_as_soon_as_it_is_stored(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "8")
        assert isinstance(app.screen, JudgesScreen)
        table = app.screen.query_one(StableTable)
        before = table.row_count
        label_all(db, "local:late#0123")
        await wait_until(pilot, lambda: table.row_count == before + 1)

    drive_stored(db, story)


def test_what_is_read_again_keeps_its_place(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "down", "down", "tab")
        assert isinstance(app.screen, ReadScreen)
        text = app.screen.query_one("#text", LongText)
        text.focus()
        await press(pilot, "pagedown")
        place = text.scroll_offset.y
        assert place > 0
        label_all(db)
        await wait_until(pilot, lambda: "late" in text.text)
        await wait_idle(pilot)
        assert text.scroll_offset.y == place
        assert app.screen.focused is text
        await press(pilot, "b")
        await press(pilot, "pagedown")
        columns = list(app.screen.query("#columns LongText").results(LongText))
        places = [column.scroll_offset.y for column in columns]
        assert max(places) > 0
        label_all(db, "later")
        await wait_until(pilot, lambda: all("later" in column.text for column in columns))
        await wait_idle(pilot)
        assert [column.scroll_offset.y for column in columns] == places

    drive(open_session(None, db, Overrides(threads=1)), story, (120, 30))


def test_a_paused_run_shows_all_that_is_stored(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = run_screen(app)
        await wait_until(pilot, lambda: screen.run.answered > 0)
        await pilot.press("p")
        assert screen.state == PAUSED
        assert screen.runner
        assert screen.runner.control.wait_until_waiting(10)
        ((answers,),) = select(db, "SELECT count(*) FROM generations")
        await wait_until(pilot, lambda: screen.run.answered == answers)
        assert screen.run.stages["generate"].done == answers
        assert screen.run.summary
        (table,) = screen.run.summary.tables
        assert sum(row.counts.generated for row in table.rows) == answers
        assert "No judge has labelled an answer so far" in shown(app)
        screen.halt()
        await wait_idle(pilot)

    run = Experiment(temperatures=[1.0], samples=8, max_tokens=64)
    session = Session(db, run, overrides=Overrides(threads=1))
    drive(session, story, (120, 40), first="running")


def test_the_text_of_results_follows_a_run(tmp_path: Path) -> None:
    """Its sentences had stayed those of the moment at which the screen was opened."""
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_until(pilot, lambda: run_screen(app).run.answered > 0)
        await pilot.press("4")
        await wait_until(
            pilot,
            lambda: select(db, "SELECT count(label) FROM answers")[0][0] == 18,
        )
        await wait_until(pilot, lambda: "Of 6 scenarios" in shown(app))
        assert str(app.screen.query_one("#sentences", Static).render())

    drive_run(db, story)


def test_label_says_how_many_answers_are_newer_than_its_batch(tmp_path: Path) -> None:
    """It keeps the batch, since no key may label another answer than the one that was read."""
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = run_screen(app)
        await wait_until(pilot, lambda: screen.run.answered > 3)
        await pilot.press("5")
        text = app.screen.query_one(LongText)
        await wait_until(pilot, lambda: "Answer" in text.text)
        before = text.text
        await wait_until(pilot, lambda: "newer: b draws anew" in shown(app))
        assert "random order" not in shown(app)
        assert text.text == before
        await pilot.press("2")
        screen.halt()
        await wait_idle(pilot)

    run = Experiment(temperatures=[1.0], samples=8, max_tokens=64, judges=["none"])
    session = Session(db, run, overrides=Overrides(threads=1))
    drive(session, story, (80, 24), first="running")


def test_a_database_that_is_replaced_is_not_called_up_to_date(db: Path) -> None:
    other = db.with_name("other.db")
    made_up(other, ["Another answer."], title="other")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = run_screen(app)
        other.replace(db)
        await wait_until(pilot, lambda: screen.state == GONE)
        assert "Up to date" not in shown(app)
        assert not screen.run.places
        await wait_idle(pilot)
        assert screen.state == GONE

    drive_stored(db, story)
