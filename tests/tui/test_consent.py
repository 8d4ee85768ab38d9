"""A stored experiment on the screens: asked before anything is contacted, and once only."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.tui.app import SteertuiApp, open_session
from steertui.tui.plan.plan_screen import PlanScreen
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.widgets.prompts import Confirm
from tests.fixtures.recorder import Recorder
from tests.fixtures.stored_answers import made_up

Story = Callable[[Pilot[None], SteertuiApp], Awaitable[None]]


def received(db: Path, experiment: Experiment) -> None:
    """Write a database whose newest experiment is this one, with answers missing."""
    made_up(db, ["an answer"] * 4)
    with Store(db) as store, store._writing() as connection:
        connection.execute("UPDATE plannings SET toml = ?", [experiment.to_toml()])
        connection.execute("DELETE FROM generations WHERE id > 1")


def tell(db: Path, story: Story) -> None:
    async def run() -> None:
        app = SteertuiApp(open_session(None, db, Overrides(threads=1)))
        async with app.run_test(size=(120, 40)) as pilot:
            await calm(pilot)
            await story(pilot, app)

    asyncio.run(run())


async def calm(pilot: Pilot[None]) -> None:
    for _ in range(30):
        await pilot.pause(0.02)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await calm(pilot)


async def done(pilot: Pilot[None], app: SteertuiApp) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()


def hostile(url: str) -> Experiment:
    return Experiment(models=[f"server:one@{url}"], judges=["none"], limit=2, max_tokens=16)


def test_resuming_a_received_database_asks_first_and_then_remembers(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Recorder() as server:
        received(db, hostile(server.url))

        async def declines(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "1", "0", "c")
            assert isinstance(app.screen, Confirm)
            shown = "\n".join(str(s.render()) for s in app.screen.query(Static))
            assert f"contacts {server.url} (model one)" in shown
            await press(pilot, "escape", "r", "escape")
            assert isinstance(app.screen, RunScreen)
            assert not app.screen.is_at_work

        async def agrees(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "c", "enter")
            await done(pilot, app)
            assert isinstance(app.screen, RunScreen)

        async def again(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "c")
            assert isinstance(app.screen, RunScreen)
            await done(pilot, app)

        tell(db, declines)
        assert not server.received
        tell(db, agrees)
        assert server.received
        with Store(db) as store, store._writing() as connection:
            connection.execute("DELETE FROM generations")
        before = len(server.received)
        tell(db, again)
        assert len(server.received) > before


def test_what_the_user_typed_resumes_without_a_question(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def types(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.session.open(db, hostile(server.url), origin=app.session.origin)
        await app.start()
        await done(pilot, app)

    async def resumes(pilot: Pilot[None], app: SteertuiApp) -> None:
        assert app.session.origin.is_database
        await press(pilot, "2", "r")
        assert isinstance(app.screen, RunScreen)
        await done(pilot, app)

    with Recorder() as server:
        tell(db, types)
        assert server.received
        with Store(db) as store, store._writing() as connection:
            connection.execute("DELETE FROM generations")
        before = len(server.received)
        tell(db, resumes)
        assert len(server.received) > before


def test_a_file_that_a_database_names_is_never_read(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with Recorder() as server:
        asked = Experiment(models=[f"server:one@{server.url}"], judges=["none"], limit=2,
                           server_template="/proc/self/environ")  # fmt: skip
        received(db, asked)

        async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
            await press(pilot, "c")
            assert isinstance(app.screen, RunScreen)
            assert not app.screen.is_at_work
            notices = [notice.text for notice in app.screen.run.notices]
            assert any("reads no file because a database names it" in n for n in notices), notices
            await press(pilot, "1")
            assert isinstance(app.screen, PlanScreen)
            assert app.screen.estimate
            assert "reads no file" in app.screen.estimate.error
            await press(pilot, "r")
            assert isinstance(app.screen, PlanScreen)

        tell(db, story)
    assert not server.received
