"""A Grid: numbers under headings, for a terminal."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

Grid = Table

Parts = Iterator[Grid | Text]
"""What is printed, one below the other."""


def grid(first: str, *others: str) -> Grid:
    """Return an empty grid with these headings; where room is short, the first column wraps."""
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column(Text(first))
    for name in others:
        made.add_column(Text(name), justify="right", no_wrap=True)
    return made


def add(made: Grid, first: str, numbers: Sequence[str]) -> None:
    """Add a line: what it is about, and its numbers."""
    for column, number in zip(made.columns[1:], numbers, strict=True):
        head = column.header if isinstance(column.header, Text) else Text()
        column.min_width = max(column.min_width or 0, cell_len(number), cell_len(head.plain))
    # A screen's own alignment would win over the column's.
    made.add_row(Text(first), *(Text(n, justify="right") for n in numbers))


def filled(first: str, others: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Grid:
    """Return a grid with a line for each row."""
    made = grid(first, *others)
    for name, *numbers in rows:
        add(made, name, numbers)
    return made


def titled(title: str, *columns: str) -> Grid:
    """Return an empty grid under a title, its first column without a heading."""
    made = grid("", *columns)
    made.title, made.title_justify, made.title_style = Text(title), "left", "bold"
    made.min_width = len(title)
    return made


def side_by_side(grids: Sequence[Grid]) -> Grid:
    """Return grids in one line, as far as the console is wide."""
    outer = Table.grid(padding=(0, 4, 0, 0))
    outer.add_row(*grids)
    return outer
