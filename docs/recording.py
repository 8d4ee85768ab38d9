"""Recording of a run of the demo as an animated picture for the README: `make pictures`.

The screens are drawn as SVG and converted by resvg; Pillow joins the frames.
"""

import asyncio
import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import resvg_py
from pictures import DB, run_in_own_home, screenshot, settle
from PIL import Image
from textual.pilot import Pilot

from steertui.core.experiment import DEMO_EXPERIMENT
from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.run.run_screen import RunScreen
from steertui.tui.session import Session

FILE = Path(__file__).resolve().parent / "demo.gif"
SIZE = (100, 30)
WIDTH = 900
"""Width of the picture in pixels."""

COLOURS = 128
"""Colours by frequency, and as many by coverage: without these the colours of labels are lost."""

INTERVAL = 0.8
"""Seconds between two frames of the run."""

READ = 2.5
"""Seconds for which each of the other screens is shown."""

KEYS = ("down right", "4", "r", "escape 3", "b", "escape 5", "c", "1")
"""Keys after the run; each group leads to one frame."""

Frame = tuple[str, float]
"""A screen as SVG, and the seconds for which it is shown."""


async def record() -> list[Frame]:
    """Return the frames of a run of the demo, and of the screens after it."""
    app = SteertuiApp(Session(DB, DEMO_EXPERIMENT, overrides=Overrides()), "start")
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        frames = [(screenshot(app), READ)]
        await app.start()
        frames += await record_run(pilot, app)
        for keys in KEYS:
            await pilot.press(*keys.split())
            await settle(pilot)
            frames.append((screenshot(app), READ))
    return frames


async def record_run(pilot: Pilot[None], app: SteertuiApp) -> list[Frame]:
    """Return a frame per interval until the run ends."""
    frames: list[Frame] = []
    screen = app.screen
    assert isinstance(screen, RunScreen)
    while screen.is_at_work:
        start = time.monotonic()
        frames.append((screenshot(app), INTERVAL))
        await pilot.pause(max(0.05, INTERVAL - (time.monotonic() - start)))
    await settle(pilot)
    return frames


def picture(svg: str) -> Image.Image:
    """Return an SVG as pixels."""
    raw = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH))
    return Image.open(io.BytesIO(raw)).convert("RGB")


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return pictures of one size above each other, from which all get their colours."""
    width, height = pictures[0].size
    stack = Image.new("RGB", (width, height * len(pictures)))
    for number, each in enumerate(pictures):
        stack.paste(each, (0, number * height))
    return stack


def palette_of(picture: Image.Image) -> Image.Image:
    """Return an image with the colours of a picture, the frequent and the rare ones."""
    methods = (Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE)
    images = [picture.quantize(COLOURS, method=method) for method in methods]
    colours = [number for image in images for number in image.getpalette()[: 3 * COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette


def main() -> None:
    """Record and write the animated picture."""
    if len(sys.argv) == 1:
        run_in_own_home(Path(__file__))
        return
    frames = asyncio.run(record())
    pictures = [picture(svg) for svg, _ in frames]
    palette = palette_of(stacked(pictures[:: len(pictures) // 8] + pictures[-len(KEYS) :]))
    first, *others = (p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures)
    durations = [round(1000 * seconds) for _, seconds in frames]
    first.save(FILE, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)


if __name__ == "__main__":
    main()
