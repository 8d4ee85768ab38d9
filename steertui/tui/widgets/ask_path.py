"""Question for a path that is asked until something is done with the path."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.app import App

from steertui.errors import SteertuiError
from steertui.paths import expand_home
from steertui.tui.widgets.prompts import TextPrompt

Act = Callable[[Path], Awaitable[bool]]
"""Function that does something with a path; False if the user does not want it with this one."""


async def ask_path(app: App[None], question: str, default: str, act: Act) -> None:
    """Ask for a path, at first `default`, until `act` is done with it, or the user cancels.

    What is wrong with a path is shown in the dialog, which keeps it.
    """
    name, problem = default, ""
    while True:
        prompt = TextPrompt(question, name, is_path=True, problem=problem)
        typed = await app.push_screen_wait(prompt)
        if typed is None:
            return
        name, problem = typed, ""
        try:
            if await act(expand_home(name)):
                return
        except SteertuiError as exc:
            problem = str(exc)
