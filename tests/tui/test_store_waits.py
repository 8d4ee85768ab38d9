"""A wait for another program's lock is said on the screen."""

import sqlite3
from contextlib import closing
from pathlib import Path

from textual.pilot import Pilot

from steertui.store.connection import LOG
from steertui.tui.app import SteertuiApp
from tests.fixtures.frames import frame
from tests.fixtures.run_screens import drive_stored
from tests.fixtures.screens import press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up


def test_a_label_that_waits_for_another_program_says_so(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["I wait.", "I copy myself."])

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await press(pilot, "5")
        with closing(sqlite3.connect(db)) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("c")
            await wait_until(pilot, lambda: "waiting" in frame(app)[0])
            other.rollback()
        await wait_idle(pilot)
        assert len(LOG.handlers) == 1

    drive_stored(db, story)
    assert not LOG.handlers
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)
