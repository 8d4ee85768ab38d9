"""Dose axes and contests of a table as text."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from rich.cells import cell_len
from rich.text import Text

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.group_rows import (
    PART_COLUMNS,
    access_lines,
    cell_texts,
    dose_columns,
    dose_legend,
    dose_rows,
    marks_legend,
    part_rows,
    parts_legend,
)
from steertui.analysis.group_words import UNIT_WORDS
from steertui.analysis.groups import Groups
from steertui.printable import one_line
from steertui.report.canvas import shorten
from steertui.report.group_tables import ATTACK_WIDTH, numbered_attacks
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent
from steertui.tui.widgets.page import PAGES
from steertui.tui.widgets.screen_words import in_screen_words

HERE = PAGES["results"]

MIN_NAME = 18
"""Characters that a name in the first column keeps if space is short."""


def draw_groups(groups: Groups, width: int, colours: Palette) -> Text:
    """Return all groups, `width` columns wide; empty without any."""
    text = Text()
    for line in chain(
        *(_axis(axis, width, colours) for axis in groups.axes),
        *(_contest(result, width, colours) for result in groups.contests),
        *(_sentences(result.sentences, width, colours) for result in groups.refusals),
    ):
        text.append_text(line).append("\n")
    return text


def _axis(axis: AxisResult, width: int, colours: Palette) -> Iterator[Text]:
    yield Text(one_line(f"Dose axis {axis.name}: {UNIT_WORDS[axis.unit]}"), "bold")
    yield from draw_grid([("dose", *dose_columns(axis)), *dose_rows(axis)], width, colours)
    yield hanging_indent(Text("  "), Text(f"{dose_legend(axis)}.", colours.quiet), width)
    yield from _sentences(axis.sentences, width, colours)
    yield Text()


def _contest(result: ContestResult, width: int, colours: Palette) -> Iterator[Text]:
    yield Text(one_line(f"Contest {result.sides.contest}: defences × attacks"), "bold")
    numbers = {attack: number for number, attack in enumerate(result.sides.attacks)}
    yield from draw_grid(_matrix(result, numbers, width), width, colours)
    notes = (marks_legend(result), *access_lines(result))
    for note in notes:
        yield hanging_indent(Text("  "), Text(f"{one_line(note)}.", colours.quiet), width)
    yield Text("against the worst attack, in points", "bold")
    parts = part_rows(result, worst=True, numbers=numbers)
    yield from draw_grid([("", *PART_COLUMNS), *parts], width, colours)
    yield hanging_indent(
        Text("  "), Text(f"{parts_legend(result, worst=True)}.", colours.quiet), width
    )
    yield from _sentences(result.verdicts, width, colours)
    yield Text()


def _matrix(result: ContestResult, numbers: Mapping[str, int], width: int) -> list[tuple[str, ...]]:
    """Return head, rates and intervals; names of attacks are shortened only to fit the width."""
    rows = [
        row
        for defence in result.sides.defences
        for rates, intervals in [cell_texts(result, defence)]
        for row in ((defence, *rates), ("", *intervals))
    ]
    longest = max(map(len, numbers), default=0)
    for most in (*range(longest, ATTACK_WIDTH, -1), ATTACK_WIDTH):
        table = [("defence", *numbered_attacks(numbers, most)), *rows]
        if _first_width(table) + _other_width(table) <= width:
            break
    return table


def _first_width(table: Sequence[Sequence[str]]) -> int:
    return max(cell_len(one_line(row[0])) for row in table)


def _other_width(table: Sequence[Sequence[str]]) -> int:
    """Return the columns of all columns but the first, with a space before each."""
    columns = [*zip(*table, strict=True)][1:]
    return sum(1 + max(map(cell_len, column)) for column in columns)


def _sentences(sentences: Sequence[str], width: int, colours: Palette) -> Iterator[Text]:
    for sentence in sentences:
        lead = Text("▷ ", colours.blue)
        yield hanging_indent(
            lead, Text(f"{one_line(in_screen_words(sentence, here=HERE))}."), width
        )


def draw_grid(table: Sequence[Sequence[str]], width: int, colours: Palette) -> Iterator[Text]:
    """Yield the lines of a table that begins with its head.

    The first column is on the left, the others are on the right. A table that is too wide is split
    into parts, which all begin with the first column.
    """
    room = max(MIN_NAME, width - _other_width(table))
    lines = [[shorten(one_line(row[0]), room), *row[1:]] for row in table]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for part in _parts(widths, width):
        for number, line in enumerate(lines):
            first = line[0] + " " * (widths[0] - cell_len(line[0]))
            others = (" " * (widths[i] - cell_len(line[i])) + line[i] for i in part)
            yield Text(" ".join((first, *others)), "" if number else colours.quiet)


def _parts(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Yield the columns, without the first, that fit into `width` beside the first."""
    part: list[int] = []
    used = widths[0]
    for i, needed in enumerate(widths[1:], 1):
        if part and used + 1 + needed > width:
            yield part
            part, used = [], widths[0]
        part.append(i)
        used += 1 + needed
    yield part
