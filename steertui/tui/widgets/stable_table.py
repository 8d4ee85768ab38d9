"""Table with fixed column widths that is filled again only if its contents changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.coordinate import Coordinate
from textual.geometry import Size
from textual.widgets import DataTable

from steertui.printable import one_line
from steertui.tui.widgets.moves import move_bindings


@dataclass(frozen=True, slots=True)
class TableContent:
    """Heads and rows of a table. The first column is aligned left, the others right by default.

    Attributes:
        heads: names of the columns.
        rows: one tuple of cells per row, as long as `heads`.
        left: indices of the columns that are aligned left.
    """

    heads: tuple[Text, ...] = ()
    rows: tuple[tuple[Text, ...], ...] = ()
    left: frozenset[int] = frozenset({0})

    @property
    def widths(self) -> list[int]:
        """Columns of the widest cell of each column."""
        columns = zip(self.heads, *self.rows, strict=True)
        return [max(1, *(cell.cell_len for cell in column)) for column in columns]

    @property
    def width(self) -> int:
        """Columns of all cells, with a space on both sides of each."""
        return sum(width + 2 for width in self.widths)


def make_content(
    heads: Sequence[str | Text], rows: Sequence[Sequence[str | Text]], left: Sequence[int] = (0,)
) -> TableContent:
    """Return the content of a table; heads and plain strings are sanitised."""
    return TableContent(
        heads=tuple(map(_as_text, heads)),
        rows=tuple(tuple(map(_as_text, row)) for row in rows),
        left=frozenset(left),
    )


def _as_text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(one_line(cell))


class StableTable(DataTable[Text]):
    """Table whose cells are never cut into each other.

    Textual measures columns and rows some time after they are added: a table that is filled again
    meanwhile is drawn with the wrong widths, and a layout that comes before has no lines for its
    rows. Here widths and size are set with the content. The cursor and the scroll position stay
    where they are.
    """

    BINDINGS = move_bindings("cursor_down", "cursor_up", "scroll_top", "scroll_bottom")

    def __init__(self, *, id: str, classes: str = "", cursor_type: str = "cell") -> None:
        super().__init__(
            id=id,
            classes=classes,
            cursor_type="row" if cursor_type == "row" else "cell",
        )
        self._drawn: object = None

    def fill(self, content: TableContent) -> None:
        """Show the content; nothing happens if it is shown already."""
        fingerprint = _fingerprint(content)
        if fingerprint == self._drawn:
            return
        self._drawn = fingerprint
        cursor = self.cursor_coordinate
        scroll = self.scroll_offset
        self.clear(columns=True)
        for index, (head, width) in enumerate(zip(content.heads, content.widths, strict=True)):
            self.add_column(_aligned(head, index, content), width=width)
        for row in content.rows:
            self.add_row(*(_aligned(cell, i, content) for i, cell in enumerate(row)))
        header = self.header_height if self.show_header else 0
        self.virtual_size = Size(content.width, self.row_count + header)
        self.refresh(layout=True)
        self._restore(cursor, scroll.y)

    def validate_cursor_coordinate(self, value: Coordinate) -> Coordinate:
        """Keep the cursor in the table; Textual puts that of an empty table at row -1."""
        row, column = super().validate_cursor_coordinate(value)
        return Coordinate(max(0, row), max(0, column))

    def _restore(self, cursor: Coordinate, scroll_y: int) -> None:
        if self.row_count:
            row = min(cursor.row, self.row_count - 1)
            column = min(cursor.column, len(self.columns) - 1)
            self.move_cursor(row=row, column=column, scroll=False)
            self.call_after_refresh(self.scroll_to, y=scroll_y, animate=False)


def _aligned(cell: Text, index: int, content: TableContent) -> Text:
    aligned = cell.copy()
    aligned.justify = "left" if index in content.left else "right"
    return aligned


def _fingerprint(content: TableContent) -> object:
    """Return a value that is equal for contents that are drawn equally."""
    lines = [content.heads, *content.rows]
    return [[(c.plain, str(c.style), tuple(c.spans)) for c in line] for line in lines]
