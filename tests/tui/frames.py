"""What a screen looks like, as text that a person can read and git can compare.

A frame is the screen's lines, then how they are drawn: every style in use under a letter, and for
each line the letters with how many cells each of them covers.
"""

import string
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.app import App

LETTERS = string.ascii_letters + string.digits


def lines_of(app: App[None]) -> list[list[Segment]]:
    """Return what the terminal would get, line by line."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    return [list(strip.crop(0, width)) for strip in strips]


def frame(app: App[None]) -> tuple[str, str]:
    """Return the screen's text, and how it is drawn."""
    lines = lines_of(app)
    text = "\n".join("".join(s.text for s in line).rstrip() for line in lines)
    letters: dict[str, str] = {}
    rows = []
    for line in lines:
        cells = [name_of(s.style) for s in line for _ in range(s.cell_length)]
        runs = [(name, len(list(group))) for name, group in groupby(cells)]
        rows.append(
            " ".join(letters.setdefault(n, LETTERS[len(letters)]) + str(c) for n, c in runs)
        )
    legend = [f"{letter} = {name}" for name, letter in letters.items()]
    return text + "\n", "\n".join([*legend, *_folded(rows)]) + "\n"


def _folded(rows: list[str]) -> list[str]:
    """Return the rows, equal ones in a line once with their count."""
    return [f"{len(list(same))} × {row}" for row, same in groupby(rows)]


def name_of(style: Style | None) -> str:
    """Return a style as colours and attributes: "#d6dde6 on #141a21 bold"."""
    style = style or Style()
    colours = [c.triplet.hex if c and c.triplet else "-" for c in (style.color, style.bgcolor)]
    marks = [n for n in ("bold", "italic", "underline", "reverse", "dim") if getattr(style, n)]
    return " ".join([f"{colours[0]} on {colours[1]}", *marks])
