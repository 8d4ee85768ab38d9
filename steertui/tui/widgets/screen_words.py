"""Messages of the packages below in the words of the screens: keys in place of commands.

The packages below the screens are used by commands, too, and name commands as remedies.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from textual.widgets import Static

from steertui.errors import WithRemedy

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "": "2 Run",
        "judge": "8 Judges, key l",
        "judges": "8 Judges, key t",
        "label": "5 Label, key b",
        "models": "6 Models",
        "models pull": "6 Models, key f",
        "report": "4 Results, key r",
        "vector import": "7 Vectors, key m",
        "vector rm": "7 Vectors, key d",
    }
)
"""Commands of steertui that a screen does, too, and where; "" opens the screens."""

_COMMAND = re.compile(r"`steertui(?: (?P<words>[a-z-]+(?: [a-z]+)?)[^`]*)?`")


def in_screen_words(message: str, *, here: str = "") -> str:
    """Return a message with screens and keys for the commands of its remedy.

    The rest of the message is unchanged: it can hold texts of the user. `here` is the title of the
    screen that shows the message; its keys are named without it. Commands without a screen stay.
    """
    if not isinstance(message, WithRemedy):
        return message
    remedy = _COMMAND.sub(lambda match: _without(here, _screen(match)), message.remedy)
    return f"{message[: -len(message.remedy)]}{remedy}"


def _without(here: str, screen: str) -> str:
    """Return a screen and its key, without the screen if it is `here`."""
    place, _, key = screen.partition(", ")
    return key if here and key and place.endswith(f" {here}") else screen


def _screen(match: re.Match[str]) -> str:
    words = match["words"] or ""
    return COMMANDS.get(words) or COMMANDS.get(words.partition(" ")[0], match[0])


class Problem(Static):
    """What is wrong with the values of a dialog."""

    def __init__(self) -> None:
        super().__init__(id="problem", markup=False)

    def show(self, problem: str) -> None:
        """Show one sentence in the words of the screens; "" for nothing."""
        words = in_screen_words(problem)
        self.update(f"! {words}" if problem else "")
