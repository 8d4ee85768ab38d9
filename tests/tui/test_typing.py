"""Typing: text that is typed fast under load is whole in every line and text area."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, TextArea

from steertui.engine.sizing import Overrides
from steertui.tui.app import SteertuiApp
from steertui.tui.session import Session, open_session
from tests.fixtures import large
from tests.fixtures.busy import busy_thread
from tests.fixtures.dialogs import DIALOGS
from tests.fixtures.screens import drive, press, wait_idle, wait_until

RATE = 50
"""Keys per second."""

KEYS = 100
"""Keys for each line."""

LETTERS = "qjkgr/?d1d2ehlnpx"
"""Letters and digits that are keys of screens and lists as well."""


async def type_fast(pilot: Pilot[None], app: SteertuiApp, line: Widget, letters: str) -> str:
    """Type into a line at the rate, wherever the focus goes meanwhile; return the typed text."""
    line.focus()
    await wait_until(pilot, lambda: line.has_focus)
    typed = "".join(letters[i % len(letters)] for i in range(KEYS))
    started = time.monotonic()
    for number, letter in enumerate(typed):
        app.post_message(Key(letter, letter))
        await asyncio.sleep(max(0.0, started + (number + 1) / RATE - time.monotonic()))
    await wait_idle(pilot)
    return typed


async def check_lines(pilot: Pilot[None], app: SteertuiApp) -> int:
    """Type into all lines and areas of the open screen; return their number."""
    lines = [w for w in app.screen.query("*") if isinstance(w, Input | TextArea) and w.display]
    for line in lines:
        if isinstance(line, Input):
            line.value = ""
            letters = "1234567890" if line.type == "integer" else LETTERS
            assert await type_fast(pilot, app, line, letters) == line.value, line
        else:
            line.text = ""
            assert await type_fast(pilot, app, line, LETTERS) == line.text, line
    return len(lines)


OPENERS: dict[str, Callable[[Pilot[None]], Awaitable[None]]] = {
    "search": lambda pilot: press(pilot, "3", "slash"),
    "palette": lambda pilot: press(pilot, "ctrl+p"),
}
"""What shows the lines that are in no dialog of ours."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPENERS)
def test_no_character_is_lost_in_a_line_of_a_screen(kind: str, tmp_path: Path) -> None:
    large.write(tmp_path / "a.db", models=2, samples=1, words=4)

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        await wait_idle(pilot)
        await OPENERS[kind](pilot)
        assert await check_lines(pilot, app) >= 1

    with busy_thread():
        drive(open_session(None, tmp_path / "a.db", Overrides(threads=1)), story)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "number", "many", "form", "open", "editor"])
def test_no_character_is_lost_in_a_dialog(kind: str, tmp_path: Path) -> None:
    make, _ = DIALOGS[kind]

    async def story(pilot: Pilot[None], app: SteertuiApp) -> None:
        app.push_screen(make(tmp_path))
        await wait_idle(pilot)
        assert await check_lines(pilot, app) >= 1

    with busy_thread():
        drive(Session(tmp_path / "a.db"), story)
