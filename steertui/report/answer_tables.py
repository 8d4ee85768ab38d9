"""Answers side by side, for a terminal and as Markdown."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from steertui.analysis.side_by_side import ShownAnswer, SideBySide
from steertui.printable import printable
from steertui.report.markdown_tables import escape
from steertui.report.rich_tables import Parts, line_text

HEADING = "Answers at matched strength"

NONE = "No dose of an axis matches another condition, so no answers are side by side"
"""Sentence if there is nothing to show, without a full stop."""


def draw_answers(found: Sequence[SideBySide]) -> Parts:
    """Yield the answers in two columns."""
    yield line_text()
    yield line_text(HEADING, style="bold")
    if not found:
        yield line_text(f"{NONE}.")
    for each in found:
        yield line_text(f"{each.table}: {each.title}; {each.choice}.")
        for scenario, pair in each.pairs.items():
            yield line_text()
            yield _columns(scenario, pair)


def _columns(scenario: str, pair: tuple[ShownAnswer, ShownAnswer]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left", expand=True)
    grid.title = line_text(scenario)
    for answer in pair:
        head = line_text(f"{answer.condition} ({answer.label})")
        grid.add_column(head, ratio=1, overflow="fold")
    grid.add_row(*(Text(printable(answer.text)) for answer in pair))
    return grid


def answer_lines(found: Sequence[SideBySide]) -> Iterator[str]:
    """Yield the lines of the answers in Markdown."""
    yield f"## {HEADING}\n"
    if not found:
        yield f"{NONE}.\n"
    for each in found:
        yield f"{escape(each.table)}: {escape(each.title)}; {escape(each.choice)}.\n"
        for scenario, (first, second) in each.pairs.items():
            heads = [escape(f"{answer.condition} ({answer.label})") for answer in (first, second)]
            yield f"**{escape(scenario)}**\n"
            yield f"| {' | '.join(heads)} |"
            yield "| --- | --- |"
            yield f"| {_cell(first.text)} | {_cell(second.text)} |\n"


def _cell(text: str) -> str:
    """Return a text of several lines as one table cell."""
    return "<br>".join(escape(line) for line in printable(text).splitlines())
