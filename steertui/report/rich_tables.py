"""Tables of numbers for a terminal, whole at any width."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from steertui.printable import printable_line

MIN_NAME = 8
"""Characters that the first column keeps if space is short, or as many as its longest name has."""

NAME_SHARE = 3
"""The first column has at most one part in so many of a table that goes on below."""

GAP = 4
"""Columns between tables side by side."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Table of names and their numbers, which is as wide as it needs and the terminal has.

    If space is short, the names wrap, also within words: names that begin alike stay distinct.
    Numbers never wrap and are never shortened: those that do not fit follow below, with the names.

    Attributes:
        heads: headings, that of the names first.
        rows: a name and its numbers each.
        title: text above; "" for none.
        most: columns that it has at most; None for no limit but the terminal's.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    most: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield the tables that fit the width."""
        yield from self._tables(min(options.max_width, self.most or options.max_width))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the width at which it is one table with whole names."""
        names, *numbers = self._widths()
        width = max(names + _width_of(numbers), line_text(self.title).cell_len)
        width = min(width, options.max_width, self.most or width)
        return Measurement(width, width)

    def _tables(self, room: int) -> Iterator[Table]:
        names, *numbers = self._widths()
        whole = _width_of(numbers)
        if min(names, MIN_NAME) + whole <= room:
            yield self._table(range(1, len(self.heads)), min(names, room - whole), self.title)
            return
        names = min(names, max(MIN_NAME, room // NAME_SHARE))
        title = self.title
        for part in _fitting(numbers, room - names):
            yield self._table(part, names, title)
            title = ""

    def _table(self, columns: Sequence[int], names: int, title: str) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        if title:
            table.title = line_text(title)
            table.title_justify = "left"
            table.title_style = "bold"
            table.min_width = table.title.cell_len
        table.add_column(line_text(self.heads[0]), overflow="fold", max_width=names)
        for index in columns:
            table.add_column(line_text(self.heads[index]), justify="right", no_wrap=True)
        for row in self.rows:
            # Each cell is justified: a screen's own alignment overrides that of the column.
            cells = (line_text(row[index], justify="right") for index in columns)
            table.add_row(line_text(row[0]), *cells)
        return table

    def _widths(self) -> list[int]:
        """Return the columns that each column needs."""
        columns = zip(self.heads, *self.rows, strict=True)
        return [max(line_text(cell).cell_len for cell in column) for column in columns]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Tables in rows of as many as fit."""

    grids: tuple[Grid, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield the rows of tables."""
        widths = [Measurement.get(console, options, grid).maximum for grid in self.grids]
        for part in _fitting(widths, options.max_width + GAP, GAP):
            row = Table.grid(padding=(0, GAP, 0, 0))
            row.add_row(*(self.grids[index - 1] for index in part))
            yield row


Parts = Iterator[Grid | SideBySide | Table | Text]
"""Tables and sentences in the order in which they are printed."""


def line_text(text: str = "", style: str = "", *, justify: JustifyMethod | None = None) -> Text:
    """Return one printable line. All texts for a terminal are made here."""
    return Text(printable_line(text), style, justify=justify)


def filled_grid(
    first: str, others: Sequence[str], rows: Iterable[tuple[str, ...]], *, most: int | None = None
) -> Grid:
    """Return a table with these headings and rows."""
    return Grid((first, *others), tuple(rows), most=most)


def _width_of(columns: Sequence[int], gap: int = 1) -> int:
    """Return the width of columns, each with a gap before it."""
    return sum(width + gap for width in columns)


def _fitting(widths: Sequence[int], room: int, gap: int = 1) -> Iterator[list[int]]:
    """Yield the numbers of the columns, from 1, in parts that fit `room`, at least one in each."""
    part: list[int] = []
    for number, width in enumerate(widths, 1):
        if part and _width_of([widths[each - 1] for each in part], gap) + width + gap > room:
            yield part
            part = []
        part.append(number)
    yield part
