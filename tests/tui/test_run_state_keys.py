"""State line of Run: it names no key that is not offered."""

from pathlib import Path

from textual.pilot import Pilot

from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import FAILED, RunScreen
from steertui.tui.session import Session
from tests.fixtures.database import execute
from tests.fixtures.screens import drive, press
from tests.fixtures.stored_answers import made_up


def test_an_experiment_of_another_version_is_not_offered_to_run(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    id = made_up(db, [f"answer {n}" for n in range(12)], is_paired=True)
    execute(db, "DELETE FROM generations WHERE id > ?", [8])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "2")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert not screen.check_action("start", ())
        assert screen.state
        assert "r runs" not in screen.state
        assert screen.outcome_line(FAILED) == "Failed"

    drive(Session(db, None, id), story)
