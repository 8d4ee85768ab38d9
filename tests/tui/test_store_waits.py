"""A wait for another program's lock is said on the screen."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from textual.widgets import Static

from steertui.engine.sizing import Overrides
from steertui.store.connection import LOG
from steertui.tui.app import SteertuiApp
from steertui.tui.session import open_session
from tests.fixtures.screens import press, wait_idle, wait_until
from tests.fixtures.stored_answers import made_up


def test_a_label_that_waits_for_another_program_says_so(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    made_up(db, ["I wait.", "I copy myself."])

    async def story() -> None:
        app = SteertuiApp(open_session(None, db, Overrides(threads=1)))
        async with app.run_test(notifications=True) as pilot:
            await press(pilot, "5")
            with closing(sqlite3.connect(db)) as other:
                other.execute("BEGIN IMMEDIATE")
                await pilot.press("c")
                await wait_until(pilot, lambda: bool(app.screen.query("Toast")))
                other.rollback()
            shown = " ".join(str(app.screen.query_one("Toast", Static).render()).split())
            assert "another program is writing to it; waiting for up to 30 s" in shown
            await wait_idle(pilot)
            assert len(LOG.handlers) == 1

    asyncio.run(story())
    assert not LOG.handlers
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM verdicts").fetchone() == (1,)
