"""Sanitising and wrapping of texts by models: no control characters, lines of exact width."""

import random

from rich.cells import cell_len

from steertui.printable import one_line, printable
from steertui.tui.widgets.long_text import wrap


def test_escape_sequences_and_bidirectional_controls_are_replaced() -> None:
    hostile = "a\x1b[2Jb\x07c\u202ed\r\ne\tf\x9bg[bold]h"
    assert printable(hostile) == "a\ufffd[2Jb\ufffdc\ufffdd\ne    f\ufffdg[bold]h"


def test_excess_accents_and_characters_without_width_are_removed() -> None:
    assert printable("e" + "\u0301" * 50) == "\u00e9\u0301"
    assert printable("a\u200b\u200db\ufeff") == "ab"


def test_wrapped_lines_fit_the_width_and_lose_only_spaces() -> None:
    rng = random.Random(1)
    for _ in range(300):
        chars = [chr(rng.choice([32, 32, 97, 0x4E2D, 0x1F600, 0x5D0, 0x301])) for _ in range(200)]
        text = printable("".join(chars))
        lines = list(wrap(text, 20))
        assert all(cell_len(line) <= 20 for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_line_of_a_million_characters_is_wrapped() -> None:
    assert sum(map(len, wrap("x" * 1_000_000, 80))) == 1_000_000


def test_every_kind_of_line_break_becomes_a_space() -> None:
    assert one_line(" a\n\n b\u2028c\x0b ") == "a bc\ufffd"
