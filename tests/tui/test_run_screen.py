"""The run screen, driven by keys over a real run of the demo checkpoint."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from steertui.engine.sizing import Overrides
from steertui.experiment import Experiment, design
from steertui.store import Store
from steertui.tui.app import SteertuiApp
from steertui.tui.labels import plain
from steertui.tui.matrix import Matrix
from steertui.verdict import SIGNS

SMALL = Experiment(limit=6, max_tokens=32)

Story = Callable[[Pilot[None], SteertuiApp], Coroutine[Any, Any, None]]


def tell(db: Path, story: Story, size: tuple[int, int] = (120, 40)) -> None:
    async def run() -> None:
        app = SteertuiApp(design(SMALL), db, Overrides(threads=1))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await story(pilot, app)

    asyncio.run(run())


async def finish(pilot: Pilot[None], app: SteertuiApp) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()


def shown(app: SteertuiApp, name: str) -> str:
    return str(app.screen.query_one(f"#{name}", Static).content)


def stored(db: Path) -> tuple[int, int]:
    with Store(db) as store:
        count = "SELECT count(*) AS n FROM "
        return store.query(f"{count} generations")[0]["n"], store.query(f"{count} verdicts")[0]["n"]


def test_every_cell_of_the_matrix_bears_its_label_when_the_run_is_over(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await finish(pilot, app)
        matrix = app.screen.query_one(Matrix)
        signs = [str(cell) for row in range(6) for cell in matrix.get_row_at(row)[1:]]
        assert len(signs) == 18
        assert set(signs) <= set(SIGNS.values())
        assert shown(app, "stage-name") == "done"

    tell(db, story)
    assert stored(db) == (18, 18)


def test_the_cell_under_the_cursor_is_read_with_label_answer_and_task(tmp_path: Path) -> None:
    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await finish(pilot, app)
        await pilot.press("down", "right", "right")
        await pilot.pause()
        prompt = app.screen.query_one(Matrix).chosen()
        assert prompt
        assert prompt.trial.condition.name == "pro"
        text = shown(app, "reading")
        assert any(f"{sign} " in text for sign in SIGNS.values())
        assert prompt.trial.user.strip() in text

    tell(tmp_path / "a.db", story, (80, 24))


def test_stopped_and_quit_it_goes_on_where_it_was(tmp_path: Path) -> None:
    db = tmp_path / "a.db"

    async def leave(pilot: Pilot[None], app: SteertuiApp) -> None:
        await pilot.press("s")
        await finish(pilot, app)
        await pilot.press("q")

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await finish(pilot, app)

    tell(db, leave)
    tell(db, story)
    assert stored(db) == (18, 18)


def test_escape_sequences_and_direction_marks_of_an_answer_are_taken_out() -> None:
    hostile = "a\x1b[2Jb\x07c\u202ed\r\ne\tf\x9bg[bold]h"
    assert plain(hostile) == "a\ufffd[2Jb\ufffdc\ufffdd\ne    f\ufffdg[bold]h"
