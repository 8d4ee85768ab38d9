"""The Run screen on a model behind a server: its stage, what it is at, pause, and the end."""

import asyncio
from pathlib import Path

import pytest

from steertui.engine.sizing import Overrides
from steertui.planning.judges import JudgeServerOptions
from steertui.server.limits import RetryPolicy
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.server_runs import experiment, rows, tally


@pytest.mark.parametrize("paused", [False, True])
def test_the_screen_shows_what_servers_are_at_and_pauses_them(tmp_path: Path, paused: bool) -> None:
    db, fake = tmp_path / "a.db", Fake(delay=0.1)

    async def run(name: str) -> None:
        asked = experiment([name], limit=6)
        terms = JudgeServerOptions(answers=RetryPolicy(concurrency=2, timeout=10.0))
        session = Session(db, asked, wish=Overrides(), terms=terms)
        app = SteertuiApp(session, "running")
        async with app.run_test(size=(120, 40)) as pilot:
            screen = app.screen
            assert isinstance(screen, RunScreen)
            async with asyncio.timeout(60):
                while not screen.run.slots:
                    await pilot.pause()
            assert "server:one" in screen.run.stages
            assert f"s at {name.split('@')[1]}" in screen.run.slots[0].text
            if paused:
                await pilot.press("p")
                async with asyncio.timeout(60):
                    while "paused" not in screen.state or len(fake.bodies) > sum(
                        fake.answered.values()
                    ):
                        await pilot.pause()
                    before = len(fake.bodies)
                    for _ in range(20):
                        await pilot.pause(0.02)
                    assert len(fake.bodies) <= before + 2
                await pilot.press("p")
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert screen.run.left == 0

    with Loopback(fake) as server:
        asyncio.run(run(f"server:one@{server.url}"))
    assert tally(db) == (18, 0, 0)
    assert rows(db, "SELECT count(*) AS n FROM deliveries") == [{"n": 18}]
