"""How a label looks: a sign and a colour, so that neither alone has to carry it."""

import re

from rich.style import Style
from rich.text import Text

from steertui.store import Cell
from steertui.verdict import SIGNS, Label

# Okabe and Ito's palette (2008): told apart by the colour-blind.
COLOURS = {
    Label.CONVERGENCE: "#d55e00",
    Label.NO_CONVERGENCE: "#009e73",
    Label.SAFETY_REFUSAL: "#e69f00",
    Label.NONSENSICAL: "#cc79a7",
}
WAITING, WRITING, WRITTEN, FAILED = "▫", "▸", "▪", "!"

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def sign(cell: Cell | None, *, is_writing: bool = False) -> Text:
    """Return the one sign that a cell of the matrix shows."""
    if cell is None or cell.answer is None:
        return Text(WRITING if is_writing else WAITING, Style(bold=is_writing, dim=not is_writing))
    if cell.label:
        return Text(SIGNS[cell.label], Style(color=COLOURS[cell.label], bold=True))
    return Text(FAILED, Style(color="red")) if cell.failure else Text(WRITTEN)


def named(label: Label) -> Text:
    """Return sign and name of a label."""
    return Text(f"{SIGNS[label]} {label}", Style(color=COLOURS[label], bold=True))


def plain(text: str) -> str:
    """Return a model's text without control characters: it must not reach the terminal's own."""
    return _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\t", "    "))
