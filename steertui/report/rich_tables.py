"""Tables of numbers for a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from steertui.printable import printable_line

Grid = Table

MIN_NAME = 8
"""Characters that the first column keeps if space is short, or as many as its longest name has."""

Parts = Iterator[Grid | Text]
"""Tables and sentences in the order in which they are printed."""


def line_text(text: str = "", style: str = "", *, justify: JustifyMethod | None = None) -> Text:
    """Return one printable line. All texts for a terminal are made here."""
    return Text(printable_line(text), style, justify=justify)


def empty_grid(first: str, *others: str) -> Grid:
    """Return a table with these headings.

    If space is short, the first column wraps, also within words: names that begin alike stay
    distinct.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(line_text(first), overflow="fold")
    for name in others:
        table.add_column(line_text(name), justify="right", no_wrap=True)
    return table


def add_row(table: Grid, first: str, numbers: Sequence[str]) -> None:
    """Add a row: its name and its numbers."""
    # Cells are justified one by one, because a screen's own alignment overrides the column's.
    texts = [line_text(number, justify="right") for number in numbers]
    for column, number_text in zip(table.columns[1:], texts, strict=True):
        heading = column.header if isinstance(column.header, Text) else Text()
        width = max(number_text.cell_len, cell_len(heading.plain))
        column.min_width = max(column.min_width or 0, width)
    name = line_text(first)
    column = table.columns[0]
    column.min_width = max(column.min_width or 0, min(name.cell_len, MIN_NAME))
    table.add_row(name, *texts)


def filled_grid(first: str, others: Sequence[str], rows: Iterable[tuple[str, ...]]) -> Grid:
    """Return a table with these headings and rows."""
    table = empty_grid(first, *others)
    for name, *numbers in rows:
        add_row(table, name, numbers)
    return table


def titled_grid(title: str, *columns: str) -> Grid:
    """Return a table with a title; its first column has no heading."""
    table = empty_grid("", *columns)
    table.title = line_text(title)
    table.title_justify = "left"
    table.title_style = "bold"
    table.min_width = table.title.cell_len
    return table


def side_by_side(grids: Sequence[Grid]) -> Grid:
    """Return tables side by side in one row."""
    outer = Table.grid(padding=(0, 4, 0, 0))
    outer.add_row(*grids)
    return outer
