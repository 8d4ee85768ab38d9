"""Foreign text on the screen: made plain, wrapped, and never of another width than it says."""

import random

from rich.cells import cell_len

from steertui.tui.widgets.long_text import wrap
from steertui.tui.widgets.sanitize import one_line, plain


def test_escape_sequences_and_direction_marks_of_an_answer_are_taken_out() -> None:
    hostile = "a\x1b[2Jb\x07c\u202ed\r\ne\tf\x9bg[bold]h"
    assert plain(hostile) == "a\ufffd[2Jb\ufffdc\ufffdd\ne    f\ufffdg[bold]h"


def test_towers_of_accents_and_characters_of_no_width_are_taken_down() -> None:
    assert plain("e" + "\u0301" * 50) == "\u00e9\u0301"
    assert plain("a\u200b\u200db\ufeff") == "ab"


def test_text_of_any_characters_is_wrapped_to_lines_that_fit_and_loses_only_spaces() -> None:
    dice = random.Random(1)
    for _ in range(300):
        chars = [chr(dice.choice([32, 32, 97, 0x4E2D, 0x1F600, 0x5D0, 0x301])) for _ in range(200)]
        text = plain("".join(chars))
        lines = list(wrap(text, 20))
        assert all(cell_len(line) <= 20 for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_line_of_a_million_characters_is_wrapped() -> None:
    assert sum(map(len, wrap("x" * 1_000_000, 80))) == 1_000_000


def test_a_line_is_one_line_whatever_breaks_it() -> None:
    assert one_line(" a\n\n b\u2028c\x0b ") == "a bc\ufffd"
