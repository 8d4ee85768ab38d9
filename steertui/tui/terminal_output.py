"""Smaller output to the terminal: only changes of style are sent, and no cursor movement twice.

Textual writes each piece of text with all its attributes and a reset, which is most of the output:
over SSH, and in a browser, it is what makes the screens slow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from textual.driver import Driver

_STYLE = re.compile(r"\x1b\[([0-9;]*)m")
_USELESS_MOVE = re.compile(r"\x1b\[\d+;\d+H\r\n(?=\x1b\[\d+;\d+H)")
"""Movement that the next one undoes; Textual ends each piece of a line with it."""

_MOVES = re.compile(r"(?:\x1b\[\d*;?\d*H|[\r\n])*")
"""Output that uses no style."""

CACHED = 4096
"""Styles, and changes of style, that are remembered."""

_RESET = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """Attributes of text as SGR parameters; "" and no flags are the terminal's defaults.

    Attributes:
        foreground: such as "38;2;255;0;0".
        background: such as "48;5;17".
        flags: others, such as "1" for bold.
    """

    foreground: str = ""
    background: str = ""
    flags: frozenset[str] = frozenset()


PLAIN = Style()
"""The terminal's defaults."""


@lru_cache(CACHED)
def styled(style: Style, parameters: str) -> Style | None:
    """Return the style after an SGR sequence; None for parameters that are not known."""
    codes = iter((parameters or "0").split(";"))
    for code in codes:
        changed = _apply(style, code, codes)
        if changed is None:
            return None
        style = changed
    return style


@lru_cache(CACHED)
def change(old: Style, new: Style) -> str:
    """Return the sequence that changes a style to another one; "" if they are equal."""
    if old == new:
        return ""
    if new == PLAIN:
        return _RESET
    if old.flags - new.flags:
        parts = ["0", *sorted(new.flags), new.foreground, new.background]
    else:
        parts = sorted(new.flags - old.flags)
        if old.foreground != new.foreground:
            parts.append(new.foreground or "39")
        if old.background != new.background:
            parts.append(new.background or "49")
    return f"\x1b[{';'.join(filter(None, parts))}m"


def _apply(style: Style, code: str, more: Iterator[str]) -> Style | None:
    """Return the style after one attribute, whose further parameters are taken from `more`."""
    match int(code or 0):
        case 0:
            return PLAIN
        case 1 | 2 | 3 | 4 | 5 | 7 | 8 | 9 as flag:
            return Style(style.foreground, style.background, style.flags | {str(flag)})
        case 38 | 48 as ground:
            kind = next(more, "")
            count = {"2": 3, "5": 1}.get(kind, 0)
            colour = ";".join([str(ground), kind, *(next(more, "0") for _ in range(count))])
        case number if 30 <= number % 60 <= 37 or 40 <= number % 60 <= 47:
            colour = code
        case _:
            return None
    if int(colour.partition(";")[0]) in (38, *range(30, 38), *range(90, 98)):
        return Style(colour, style.background, style.flags)
    return Style(style.foreground, colour, style.flags)


def shrink(output: str) -> str:
    """Return shorter output with the same effect on a terminal whose style is reset.

    Output with attributes that are not known is returned as it is.
    """
    parts: list[str] = []
    sent = wanted = PLAIN
    for number, part in enumerate(_STYLE.split(_USELESS_MOVE.sub("", output))):
        if number % 2:
            style = styled(wanted, part)
            if style is None:
                return output
            wanted = style
        elif part:
            if not _MOVES.fullmatch(part):
                parts.append(change(sent, wanted))
                sent = wanted
            parts.append(part)
    parts.append(change(sent, wanted))
    return "".join(parts)


def small_output(base: type[Driver]) -> type[Driver]:
    """Return a driver that shrinks what it writes, and is otherwise like `base`."""

    class SmallOutput(base):  # type: ignore[misc, valid-type]
        def write(self, data: str) -> Any:
            """Write to the terminal."""
            return super().write(shrink(data))

    return SmallOutput
