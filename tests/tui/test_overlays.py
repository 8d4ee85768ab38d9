"""Report and comparison over a screen: never those of another experiment, never in the way."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from steertui.core.verdict import Label, Verdict
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.read.compare_screen import CompareScreen
from steertui.tui.read.read_screen import ReadScreen
from steertui.tui.results.report_screen import ReportScreen
from steertui.tui.results.results_screen import ResultsScreen
from steertui.tui.session import open_session
from tests.fixtures import large
from tests.fixtures.frames import frame
from tests.fixtures.screens import drive, press


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    large.write(path, models=1, samples=1, words=2)
    return path


def test_a_number_opens_its_trials_though_read_shows_a_comparison(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "b")
        assert isinstance(app.screen, CompareScreen)
        await press(pilot, "4")
        app.screen.query_one("#rates-table", DataTable).focus()
        await press(pilot, "enter")
        assert isinstance(app.screen, ReadScreen)

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_report_and_comparison_of_the_former_experiment_are_closed(db: Path) -> None:
    other = db.with_name("b.db")
    large.write(other, models=1, samples=1, words=3)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "b", "4", "r")
        assert isinstance(app.screen, ReportScreen)
        opened = open_session(None, other, Overrides())
        assert app.open(other, opened.experiment, opened.id)
        await press(pilot, "1", "4")
        assert isinstance(app.screen, ResultsScreen)
        await press(pilot, "3")
        assert isinstance(app.screen, ReadScreen)

    drive(open_session(None, db, Overrides(threads=1)), story)


def test_report_and_comparison_have_the_labels_that_were_added_since(db: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "3", "b")
        title = str(app.screen.query_one("#compare-title", Static).render())
        await press(pilot, "4", "r")
        assert "human:late" not in frame(app)[0]
        with Store(db) as store:
            store.add_judge("human:late", "human:late", {"kind": "a person", "title": ""})
            for key in sorted(store.answered_keys(app.session.id)):
                store.add_verdict(key, Verdict("human:late", Label.NONSENSICAL))
        await press(pilot, "1", "4")
        assert isinstance(app.screen, ReportScreen)
        assert "human:late" in frame(app)[0]
        await press(pilot, "3")
        assert str(app.screen.query_one("#compare-title", Static).render()) == title
        assert "human:late" in frame(app)[0]

    drive(open_session(None, db, Overrides(threads=1)), story, (200, 60))
