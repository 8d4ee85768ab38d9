"""The Run screen with a model behind a server: stage, requests in flight, pause, end."""

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from steertui.planning.judges import JudgeServerOptions
from steertui.server.limits import RetryPolicy
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_controls import PAUSED
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from tests.fixtures.openai_server import Fake, Loopback
from tests.fixtures.screens import drive, wait_idle, wait_until
from tests.fixtures.server_runs import experiment, rows, tally


def in_flight(fake: Fake) -> int:
    """Return the number of requests without a reply."""
    return len(fake.bodies) - sum(fake.answered.values())


@pytest.mark.parametrize("paused", [False, True])
def test_requests_in_flight_are_shown_and_paused(tmp_path: Path, paused: bool) -> None:
    db = tmp_path / "a.db"
    fake = Fake(delay=0.1)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await wait_until(pilot, lambda: bool(screen.run.slots))
        assert "server:one" in screen.run.stages
        assert f"s at {server.url}" in screen.run.slots[0].text
        if paused:
            await pilot.press("p")
            await wait_until(pilot, lambda: screen.state == PAUSED and not in_flight(fake))
            before = len(fake.bodies)
            await asyncio.sleep(2 * fake.delay)  # time for a request that must not be sent
            assert len(fake.bodies) <= before + 2
            await pilot.press("p")
        await wait_idle(pilot)
        assert screen.run.unanswered == 0

    with Loopback(fake) as server:
        options = JudgeServerOptions(answers=RetryPolicy(concurrency=2, timeout=10.0))
        names = [f"server:one@{server.url}"]
        session = Session(db, experiment(names, limit=6), server_options=options)
        drive(session, story, first="running")
    assert tally(db) == (18, 0, 0)
    assert rows(db, "SELECT count(*) AS n FROM server_answers") == [{"n": 18}]
