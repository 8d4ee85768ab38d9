"""Pictures of every screen in both themes at two sizes, from a real run: `make pictures`."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot
from textual.screen import ModalScreen

from steertui.core.experiment import DEMO_EXPERIMENT
from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.session import Session
from steertui.tui.theme import DARK, LIGHT

FOLDER = Path(__file__).resolve().parent / "pictures"
SIZES = ((120, 40), (80, 24))
THEMES = {"dark": DARK.name, "light": LIGHT.name}
DB = Path("steertui-demo.db")
VECTOR = "convergence"

SCREENS = {
    "start": "0",
    "plan": "1",
    "run": "2",
    "read": "3",
    "compare": "b",
    "results": "escape 4",
    "report": "r",
    "models": "escape 6",
    "vectors": "7",
    "judges": "8",
    "label": "5",
    "help": "2 question_mark",
}
"""Keys that show each screen, after the one before it."""


async def settle(pilot: Pilot[None]) -> None:
    """Wait until all workers have finished, except one that waits for an open dialog."""
    for _ in range(2):
        await pilot.pause()
        if not isinstance(pilot.app.screen, ModalScreen):
            await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.1)


def screenshot(app: SteertuiApp) -> str:
    """Return the screen as SVG.

    Its fonts would be fetched from a third-party server; any monospaced font will do. Identifiers
    of a random number would change with every run.
    """
    svg = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(), flags=re.S)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    return re.sub(r"[ \t]+\n", "\n", svg)


async def run_demo() -> None:
    """Run the demo, and train a vector on its checkpoint."""
    app = SteertuiApp(Session(DB, DEMO_EXPERIMENT, overrides=Overrides()), "running")
    async with app.run_test(size=SIZES[0]) as pilot:
        await settle(pilot)
        await pilot.press("7", "t")
        await settle(pilot)
        await pilot.press(*VECTOR, "enter")
        await settle(pilot)


async def save_all(size: tuple[int, int]) -> None:
    """Save a picture of every screen in both themes at one size."""
    app = SteertuiApp(Session(DB, DEMO_EXPERIMENT, overrides=Overrides()))
    app.session.id = newest()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        for name, keys in SCREENS.items():
            await pilot.press(*keys.split())
            await settle(pilot)
            if name == "run":
                await pilot.press("down", "right")
                await settle(pilot)
            for theme, theme_name in THEMES.items():
                app.theme = theme_name
                await settle(pilot)
                file = FOLDER / f"{name}-{theme}-{size[0]}x{size[1]}.svg"
                file.write_text(screenshot(app), encoding="utf-8")


def newest() -> str:
    """Return the id of the demo's experiment."""
    from steertui.store import Store

    with Store(DB, must_exist=True) as store:
        return store.resolve_experiment()


def run_in_own_home(script: Path) -> None:
    """Run a script with the argument "here" in an empty folder that is its user's home.

    huggingface_hub reads the environment when it is imported, so that it must be set before.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script.resolve()), "here"]
        subprocess.run(command, check=True, cwd=folder, env=environment(Path(folder)))


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process whose user has all folders in `folder`."""
    places = {"DATA_HOME": ".local/share", "STATE_HOME": ".local/state", "CACHE_HOME": ".cache"}
    own = {"HOME": str(folder), "HF_HOME": str(folder / ".cache" / "huggingface")}
    own |= {f"XDG_{name}": str(folder / place) for name, place in places.items()}
    return os.environ | own


def main() -> None:
    """Save the pictures; nothing of the user's own folders is read or written."""
    if len(sys.argv) == 1:
        run_in_own_home(Path(__file__))
        return
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(run_demo())
    for size in SIZES:
        asyncio.run(save_all(size))


if __name__ == "__main__":
    main()
