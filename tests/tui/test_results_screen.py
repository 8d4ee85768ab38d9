"""Results while answers and labels are counted, and after another size of the terminal."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from textual.events import ScreenResume
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.results.counting_note import AGAIN_AFTER, COUNTING
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.session import Session, open_session
from steertui.tui.widgets.reflowing_text import ReflowingText
from tests.fixtures import large
from tests.fixtures.screens import drive, press, wait_idle, wait_until

T = TypeVar("T")


@dataclass
class SlowSession(Session):
    """Session whose queries wait until the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def with_store(self, function: Callable[[Store], T]) -> T:
        """Return the function's result once the gate is open."""
        await self.gate.wait()
        return await super().with_store(function)


def slow_session(db: Path) -> SlowSession:
    opened = open_session(None, db, Overrides(threads=1))
    return SlowSession(opened.db, opened.experiment, opened.id, opened.overrides)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("counting") / "a.db"
    large.write(path, models=2, samples=1, words=2)
    return path


def sentences(app: SteertuiApp) -> str:
    return str(app.screen.query_one("#sentences", Static).render())


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("f", lambda app: app.focused.id == "changed"),
        ("t", lambda app: "Which table?" in str(app.screen.query(Static).first().render())),
        ("r", lambda app: bool(app.screen.query("#report-text"))),
    ],
)
def test_keys_typed_during_the_count_have_their_effect_after_it(
    db: Path, key: str, shown: Callable[[SteertuiApp], bool]
) -> None:
    session = slow_session(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await pilot.press("4")
        await wait_until(pilot, lambda: bool(app.screen.query("#sentences")))
        await wait_until(pilot, lambda: sentences(app) == COUNTING)
        await pilot.press(key)
        session.gate.set()
        await wait_until(pilot, lambda: shown(app))

    drive(session, story)


def test_another_experiment_is_counted_without_the_numbers_of_the_former(
    db: Path, tmp_path: Path
) -> None:
    other = tmp_path / "b.db"
    large.write(other, models=1, samples=1, words=2)
    session = slow_session(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        session.gate.set()
        await press(pilot, "4")
        assert app.screen.query_one("#overview").display
        session.gate.clear()
        opened = open_session(None, other, Overrides())
        session.open(other, opened.experiment, opened.id)
        await pilot.press("3", "4")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        await wait_until(pilot, lambda: sentences(app) == COUNTING)
        assert not [table.id for table in app.screen.query(DataTable) if table.display]
        session.gate.set()
        await wait_until(pilot, lambda: "policy" in sentences(app))

    drive(session, story)


def test_numbers_are_called_old_while_they_are_counted_for_another_policy(db: Path) -> None:
    session = slow_session(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        session.gate.set()
        await press(pilot, "4")
        note = app.screen.query_one("#counting-again", Static)
        assert not note.display
        session.gate.clear()
        app.screen.post_message(ScreenResume())
        await asyncio.sleep(2 * AGAIN_AFTER)
        assert not note.display  # nothing has changed
        session.gate.set()
        await wait_idle(pilot)
        session.gate.clear()
        await pilot.press("o")
        await wait_until(pilot, lambda: bool(app.screen.query("ListItem, OptionList")))
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: note.display)
        assert "before the last change" in str(note.render())
        assert "policy paper" in sentences(app)
        session.gate.set()
        await wait_until(pilot, lambda: "policy all" in sentences(app))
        await wait_until(pilot, lambda: not note.display)

    drive(session, story)


def test_a_changed_label_of_a_later_sample_opens_that_sample(db: Path) -> None:
    samples = db.with_name("samples.db")
    large.write(samples, models=1, samples=2, words=2)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "f")
        table = app.screen.query_one("#changed", DataTable)
        titles = [str(table.get_row_at(row)[0]) for row in range(table.row_count)]
        later = next(row for row, title in enumerate(titles) if title.endswith("#2"))
        table.move_cursor(row=later)
        await press(pilot, "enter")
        title = str(app.screen.query_one("#compare-title", Static).render())
        assert "sample 2" in title

    drive(open_session(None, samples, Overrides(threads=1)), story)


def test_a_database_that_cannot_be_counted_ends_the_count_with_a_sentence(db: Path) -> None:
    session = slow_session(db)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        session.gate.set()
        session.db = db.with_name("removed.db")
        await press(pilot, "4")
        note = str(app.screen.query_one("#empty-note", Static).render())
        assert "removed.db" in note
        assert app.screen.query_one("#empty").display

    drive(session, story)


def test_another_size_keeps_the_table_its_row_and_the_text(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4", "f", "down", "down")
        for size in ((100, 30), (200, 50), (120, 40)):
            await pilot.resize_terminal(*size)
            await wait_idle(pilot)
            table = app.screen.query_one("#changed", DataTable)
            assert app.focused is table
            assert table.cursor_row == 2
            box = app.screen.query_one("#results-box")
            assert box.region.contains_region(table.region), size
        box.focus()
        text = app.screen.query_one("#sentences")
        box.scroll_to(y=text.size.height * 2 // 3, animate=False)
        await wait_idle(pilot)
        for width in (90, 70, 120):
            await pilot.resize_terminal(width, 40)
            await wait_idle(pilot)
            assert box.scroll_offset.y / text.size.height == pytest.approx(2 / 3, abs=0.05)

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_no_table_is_cut_beside_the_sentences_while_there_is_room(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        for name in ("rates-table", "categories"):
            table = app.screen.query_one(f"#{name}", DataTable)
            assert table.max_scroll_x == 0, name
        assert app.screen.query_one("#sentences").region.right <= table.region.x

    drive(open_session(None, db, Overrides(threads=1)), story, (220, 60))


def test_a_switch_of_the_theme_counts_nothing_again(db: Path) -> None:
    """The colours of a dialog's background, and of 100,000 trials, had followed a second later."""

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "4")
        await wait_until(pilot, lambda: "policy" in sentences(app))
        before = app.screen.query_one("#sentences", ReflowingText).render()
        await pilot.press("ctrl+t")
        assert "count" not in {worker.group for worker in app.workers}
        after = app.screen.query_one("#sentences", ReflowingText).render()
        assert str(after) == str(before)
        assert getattr(after, "spans", None) != getattr(before, "spans", None)

    drive(open_session(None, db, Overrides(threads=1)), story)
