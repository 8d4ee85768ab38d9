"""Messages of the packages below in the words of the screens: fields and keys, not options.

The packages below the screens are used by commands, too, and name options and commands as remedies.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from textual.widgets import Static

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "calibrate": "calibration",
        "convention": "convention",
        "coherence": "scored answers",
        "db": "database",
        "debias": "debiasing",
        "judge": "judge",
        "judge-max-tokens": "judge's tokens",
        "judge-reasoning-effort": "judge's reasoning",
        "layers": "layers",
        "limit": "number of scenarios",
        "max-tokens": "maximum tokens",
        "model": "model",
        "output": "file",
        "rubric": "rubric",
        "scenarios": "scenario packs",
        "strength": "strengths",
        "temperature": "temperatures",
        "template": "chat template",
    }
)
"""Options of commands that are fields of the screens, and the words for them."""

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
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
"""Commands of steertui that a screen does, too, and where."""

AGAIN = "press the same key again"
"""What "run the command again" means where no key is known."""

_AGAIN = re.compile(r"run the (?:same )?command again")
_OPTION = re.compile(r"--(?P<name>[a-z][a-z-]*[a-z])|\b(?P<key>max_tokens)\b")
_COMMAND = re.compile(r"`steertui (?P<words>[a-z-]+(?: [a-z]+)?)[^`]*`")


def in_screen_words(message: str, *, again: str = AGAIN, here: str = "") -> str:
    """Return a message with fields for options and keys of files, and screens for commands.

    `again` says how the screen that shows the message does its work once more. `here` is the title
    of that screen, whose keys are named without it. Options that only the start of the program
    takes, and commands without a screen, stay.
    """
    in_screens = _COMMAND.sub(lambda match: _without(here, _screen(match)), message)
    return _AGAIN.sub(again, _OPTION.sub(_field, in_screens))


def _without(here: str, screen: str) -> str:
    """Return a screen and its key, without the screen if it is `here`."""
    place, _, key = screen.partition(", ")
    return key if here and key and place.endswith(f" {here}") else screen


def _field(match: re.Match[str]) -> str:
    name = match["name"] or match["key"].replace("_", "-")
    return OPTIONS.get(name, match[0])


def _screen(match: re.Match[str]) -> str:
    words = match["words"]
    return COMMANDS.get(words) or COMMANDS.get(words.split()[0], match[0])


class Problem(Static):
    """What is wrong with the values of a dialog."""

    def __init__(self) -> None:
        super().__init__(id="problem", markup=False)

    def show(self, problem: str) -> None:
        """Show one sentence in the words of the screens; "" for nothing."""
        words = in_screen_words(problem, again="press enter again")
        self.update(f"! {words}" if problem else "")
