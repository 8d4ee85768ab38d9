"""Screenshots for the README from a real run of the demo: `make pictures`."""

import asyncio
import os
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from steertui.core.experiment import DEMO_EXPERIMENT
from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.session import Session

HERE = Path(__file__).resolve().parent
SIZE = (120, 40)


async def settle(pilot: Pilot[None]) -> None:
    """Wait until all workers have finished."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def save(app: SteertuiApp, name: str) -> None:
    """Save a screenshot."""
    svg = app.export_screenshot()
    # The fonts would be fetched from a third-party server; any monospaced font will do.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S)
    (HERE / f"{name}.svg").write_text(re.sub(r"[ \t]+\n", "\n", svg), encoding="utf-8")


async def save_all() -> None:
    """Save a screenshot of every page."""
    session = Session(Path("steertui-demo.db"), DEMO_EXPERIMENT, overrides=Overrides())
    app = SteertuiApp(session, "running")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("down", "right")
        await settle(pilot)
        save(app, "run")
        for key, name in PAGES:
            await pilot.press(key)
            await settle(pilot)
            save(app, name)


PAGES = (
    ("0", "start"),
    ("1", "plan"),
    ("3", "read"),
    ("4", "results"),
    ("6", "models"),
    ("5", "label"),
)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        asyncio.run(save_all())
