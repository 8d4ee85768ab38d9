"""The run screen, driven by keys over a real run of the demo checkpoint."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from steertui.core.experiment import Experiment
from steertui.core.verdict import SIGNS
from steertui.engine.sizing import Overrides
from steertui.store import Store
from steertui.store.run_lock import run_lock
from steertui.tui.app import SteertuiApp
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session
from steertui.tui.widgets.label_style import ON_DARK

SMALL = Experiment(limit=6, max_tokens=32)

Story = Callable[[Pilot[None], SteertuiApp], Coroutine[Any, Any, None]]


def tell(db: Path, story: Story, size: tuple[int, int] = (120, 40)) -> None:
    async def run() -> None:
        app = SteertuiApp(Session(db, SMALL, wish=Overrides(threads=1)), "running")
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(pilot, app)

    asyncio.run(run())


async def finish(pilot: Pilot[None], app: SteertuiApp) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()
    await app.workers.wait_for_complete()  # what the end made the screen ask the store
    await pilot.pause()


def run_screen(app: SteertuiApp) -> RunScreen:
    assert isinstance(app.screen, RunScreen)
    return app.screen


def stored(db: Path) -> tuple[int, int]:
    with Store(db) as store:
        count = "SELECT count(*) AS n FROM "
        return store.query(f"{count} generations")[0]["n"], store.query(f"{count} verdicts")[0]["n"]


def test_every_cell_of_the_matrix_bears_its_label_when_the_run_is_over(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await finish(pilot, app)
        screen = run_screen(app)
        grid = screen.run.grid
        lines = [i for i, line in enumerate(grid.lines) if line.scenario]
        signs = [str(grid.draw(line, c, ON_DARK)) for line in lines for c in range(3)]
        assert len(signs) == 18
        assert set(signs) <= set(SIGNS.values())
        assert screen.state.startswith("done")

    tell(db, story)
    assert stored(db) == (18, 18)


def test_the_cell_under_the_cursor_is_read_with_label_answer_and_task(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await finish(pilot, app)
        await pilot.press("down", "right")
        await finish(pilot, app)
        screen = run_screen(app)
        key = screen.query_one(Matrix).chosen()
        with Store(tmp_path / "a.db") as store:
            (row,) = store.query(
                "SELECT condition, answer, task FROM answers JOIN scenarios ON name = scenario "
                "WHERE key = ?",
                [key],
            )
        assert row["condition"] == "pro"
        text = screen.query_one(FocusPanel).flow.text
        assert any(f"{sign} " in text for sign in SIGNS.values())
        assert row["task"].strip() in text
        assert row["answer"] in text

    tell(tmp_path / "a.db", story, (80, 24))


def test_stopped_and_quit_it_goes_on_where_it_was(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def leave(pilot: Pilot[None], app: SteertuiApp) -> None:
        run_screen(app).halt()
        await finish(pilot, app)
        assert "stopped" in run_screen(app).state
        await pilot.press("q")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await finish(pilot, app)

    tell(db, leave)
    tell(db, story)
    assert stored(db) == (18, 18)


def test_stop_is_asked_once_and_a_pause_goes_on_by_the_same_key(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        screen = run_screen(app)
        await pilot.press("p")
        assert screen.state == "paused: p goes on"
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("escape")
        assert screen.is_at_work
        await pilot.press("p")
        assert screen.state == "running"
        await finish(pilot, app)

    tell(tmp_path / "a.db", story)
    assert stored(tmp_path / "a.db") == (18, 18)


def test_a_second_program_on_the_database_reads_along_and_runs_nothing(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        while "reading along" not in run_screen(app).state:
            await pilot.pause(0.05)
        assert stored(db) == (0, 0)
        held.close()
        await finish(pilot, app)
        assert stored(db) == (0, 0)

    with contextlib.ExitStack() as held:
        held.enter_context(run_lock(db))
        tell(db, story)
