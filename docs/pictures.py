"""Makes the README's pictures from a real run of the demo: `make pictures`."""

import asyncio
import re
import tempfile
from pathlib import Path

from steertui.engine.sizing import Overrides
from steertui.experiment import DEMO_EXPERIMENT, design
from steertui.tui.app import SteertuiApp

HERE = Path(__file__).parent


async def run_screen(target: Path, size: tuple[int, int]) -> None:
    """Save the run screen when the demo is done, with an answer in focus."""
    with tempfile.TemporaryDirectory() as folder:
        app = SteertuiApp(design(DEMO_EXPERIMENT), Path(folder) / "steertui-demo.db", Overrides())
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            await pilot.press("down", "right", "right")
            await pilot.pause()
            svg = app.export_screenshot()
    # The fonts would be fetched from a stranger's server; any monospaced one will do.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S)
    svg = svg.replace(folder + "/", "")
    target.write_text(re.sub(r"[ \t]+\n", "\n", svg), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(run_screen(HERE / "run.svg", (120, 40)))
