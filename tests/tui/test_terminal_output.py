"""Output to the terminal: shorter, with the same characters in the same styles and places."""

import random
import re

import pytest

from steertui.tui.terminal_output import shrink

TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|(.)", re.S)
"""A control sequence, or a character."""

COLOURS = ("38;2;1;2;3", "38;2;9;9;9", "48;2;4;5;6", "31", "97", "48;5;17", "104", "1", "3", "1;4")


def drawn(output: str) -> dict[tuple[int, int], tuple[str, frozenset[str]]]:
    """Return character and attributes of each cell that the output draws."""
    cells: dict[tuple[int, int], tuple[str, frozenset[str]]] = {}
    row = column = 1
    attributes: dict[str, str] = {}
    for match in TOKEN.finditer(output):
        parameters, letter, character = match.groups()
        if letter == "H":
            row, column = map(int, parameters.split(";"))
        elif letter == "m":
            attributes = after(attributes, parameters)
        elif character == "\n":
            row += 1
        elif character == "\r":
            column = 1
        elif character:
            cells[row, column] = character, frozenset(attributes.values())
            column += 1
    return cells


def after(attributes: dict[str, str], parameters: str) -> dict[str, str]:
    """Return the attributes after an SGR sequence, written as an emulator would."""
    attributes = dict(attributes)
    codes = (parameters or "0").split(";")
    while codes:
        code = codes.pop(0)
        if code == "0":
            attributes = {}
        elif code in ("38", "48"):
            count = 4 if codes[0] == "2" else 2
            attributes[code] = ";".join([code, *codes[:count]])
            del codes[:count]
        elif code in ("39", "49"):
            attributes.pop("38" if code == "39" else "48", None)
        elif code[:-1] in ("3", "9", "4", "10"):
            attributes["38" if code[:-1] in ("3", "9") else "48"] = code
        else:
            attributes[code] = code
    return attributes


def random_output(seed: int) -> str:
    """Return pieces of text as Textual writes them, some without a style or a reset."""
    chance = random.Random(seed)
    parts = []
    for _ in range(60):
        if chance.random() < 0.4:
            parts.append(f"\x1b[{chance.randint(1, 9)};{chance.randint(1, 30)}H")
        if chance.random() < 0.2:
            parts.append("\r\n")
        style = ";".join(chance.sample(COLOURS, chance.randint(0, 3)))
        text = "".join(chance.choice("ab é█ ") for _ in range(chance.randint(0, 6)))
        reset = "\x1b[0m" if chance.random() < 0.8 else ""
        parts.append(f"\x1b[{style}m{text}{reset}" if style else text)
    return "".join([*parts, "\x1b[0m"])


@pytest.mark.parametrize("seed", range(100))
def test_short_output_draws_the_same_cells(seed: int) -> None:
    output = random_output(seed)
    short = shrink(output)
    assert drawn(short) == drawn(output)
    assert len(short) <= len(output)


@pytest.mark.parametrize(
    "output", ["", "plain", "\x1b[0m", "\x1b[999mx\x1b[0m", "\x1b[?25l\x1b[2J"]
)
def test_output_without_known_styles_is_unchanged_or_shorter(output: str) -> None:
    assert shrink(output) in (output, "")


def test_neighbours_of_one_style_have_one_sequence() -> None:
    style = "\x1b[38;2;1;2;3;48;2;4;5;6m"
    assert shrink(f"{style}a\x1b[0m{style}b\x1b[0m") == f"{style}ab\x1b[0m"
    other = "\x1b[38;2;7;8;9;48;2;4;5;6m"
    assert shrink(f"{style}a\x1b[0m{other}b\x1b[0m") == f"{style}a\x1b[38;2;7;8;9mb\x1b[0m"


def test_a_style_is_sent_before_what_erases_with_it() -> None:
    output = "\x1b[48;2;4;5;6m\x1b[2J\x1b[0m"
    assert shrink(output) == output
