"""Matrix widget: scenarios as rows, conditions as columns, a sign in every cell."""

from dataclasses import dataclass
from itertools import groupby

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from steertui.printable import one_line
from steertui.tui.run.grid import Grid, GridColumn, fit_groups
from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.layout import shorten_apart
from steertui.tui.widgets.moves import move_bindings

MIN_NAME_WIDTH = 16
MAX_NAME_WIDTH = 44


class Matrix(ScrollView, can_focus=True):
    """One row per scenario, grouped by category; one column per model, temperature and condition.

    The column heads and the scenario names do not scroll.
    """

    COMPONENT_CLASSES = {  # noqa: RUF012 (Textual's own name and type)
        "matrix--head",
        "matrix--category",
        "matrix--name",
        "matrix--cursor",
        "matrix--row",
    }
    BINDINGS = [  # noqa: RUF012
        *move_bindings("move(1, 0)", "move(-1, 0)", "move(-10000, 0)", "move(10000, 0)"),
        Binding("left,h", "move(0, -1)", "Left", show=False),
        Binding("right,l", "move(0, 1)", "Right", show=False),
        Binding("pageup", "move(-10, 0)", "Up ten", show=False),
        Binding("pagedown", "move(10, 0)", "Down ten", show=False),
        Binding(
            "enter", "open", "Read", id="matrix.read", tooltip="Read the trial under the cursor"
        ),
    ]

    row = reactive(0, layout=False)
    """Index of the line under the cursor; never that of a category."""
    column = reactive(0, layout=False)
    """Index of the column under the cursor."""

    @dataclass
    class Moved(Message):
        """The cursor moved to another cell."""

        key: str

    @dataclass
    class Opened(Message):
        """A cell was opened."""

        key: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._grid: Grid | None = None
        self._columns: list[GridColumn] = []
        self._head = 1

    def fill(self, grid: Grid) -> None:
        """Show a grid; keep the cursor if its cell still exists."""
        self._grid = grid
        self._head = 2 if any(c.group for c in grid.columns) else 1
        lines = grid.lines
        if not (self.row < len(lines) and lines[self.row].scenario):
            self.row = next((i for i, line in enumerate(lines) if line.scenario), 0)
        self.column = min(self.column, max(0, len(grid.columns) - 1))
        self._measure()

    def redraw_cell(self, key: str) -> None:
        """Redraw the cell of a trial."""
        if self._grid:
            self.refresh_line(self._head + self._grid.line_of(key))

    def selected_key(self) -> str:
        """Return the key of the trial under the cursor, "" for none."""
        if not self._grid or not self._grid.lines:
            return ""
        cell = self._grid.cell(self.row, self.column)
        return cell[0] if cell else ""

    def select(self, key: str) -> None:
        """Move the cursor to the cell of a trial."""
        if self._grid:
            self.row, self.column = self._grid.cell_of(key)
            self._show_cursor()

    def _measure(self) -> None:
        grid = self._grid
        if not grid:
            return
        width = self.size.width
        longest = max((len(line.title) + 3 for line in grid.lines), default=MIN_NAME_WIDTH)
        longest = max(MIN_NAME_WIDTH, min(longest, MAX_NAME_WIDTH))
        usual = max(MIN_NAME_WIDTH, min(longest, width * 2 // 5))
        self._columns = fit_groups(grid.columns, width - usual - 1)
        columns = sum(c.width for c in self._columns)
        room = width - columns - 1
        # Names make room for the last columns; if that is not enough, the columns scroll.
        self._names = min(longest, room) if room >= MIN_NAME_WIDTH else usual
        self.virtual_size = Size(self._names + columns, self._head + len(grid.lines))
        self.refresh()

    def on_resize(self) -> None:
        """Fit the names to the width."""
        self._measure()
        self._show_cursor()

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor; skip category lines."""
        if not self._grid or not self._grid.lines:
            return
        lines, row = self._grid.lines, self.row
        if rows:
            scenario_rows = [i for i, line in enumerate(lines) if line.scenario]
            index = scenario_rows.index(row) if row in scenario_rows else 0
            row = scenario_rows[max(0, min(len(scenario_rows) - 1, index + rows))]
        self.row = row
        self.column = max(0, min(len(self._grid.columns) - 1, self.column + columns))
        self._show_cursor()
        self.post_message(self.Moved(self.selected_key()))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Let Enter act on a trial only."""
        return bool(self.selected_key()) if action == "open" else True

    def action_open(self) -> None:
        """Open the cell under the cursor."""
        if self.selected_key():
            self.post_message(self.Opened(self.selected_key()))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked cell; a double click opens it."""
        if not self._grid or event.y < self._head:
            return
        row = event.y - self._head + self.scroll_offset.y
        x = event.x - self._names + self.scroll_offset.x
        before = self.selected_key()
        if row >= len(self._grid.lines) or not self._grid.lines[row].scenario:
            return
        self.row = row
        for index, column in enumerate(self._columns):
            if 0 <= x < column.width:
                self.column = index
            x -= column.width
        self.post_message(self.Moved(self.selected_key()))
        if self.selected_key() == before and event.chain > 1:
            self.action_open()

    def _show_cursor(self) -> None:
        if not self._grid:
            return
        before = sum(c.width for c in self._columns[: self.column])
        width = self._columns[self.column].width if self._columns else 1
        # The heads and the names cover a part of the visible region.
        top = self.row - (self.row > 0 and not self._grid.lines[self.row - 1].scenario)
        region = Region(before, top, width + self._names, self.row - top + 1 + self._head)
        self.scroll_to_region(region, animate=False, force=True)

    def watch_row(self, old: int, new: int) -> None:
        """Redraw the old and the new line."""
        self.refresh_line(self._head + old)
        self.refresh_line(self._head + new)

    def watch_column(self) -> None:
        """Redraw the line."""
        self.refresh_line(self._head + self.row)

    def render_line(self, y: int) -> Strip:
        """Return one line: heads, a category, or a scenario with its cells."""
        width, grid = self.size.width, self._grid
        if not grid:
            return Strip.blank(width, self.rich_style)
        if y < self._head:
            return self._draw_head(y, width)
        index = y - self._head + self.scroll_offset.y
        if index >= len(grid.lines):
            return Strip.blank(width, self.rich_style)
        line = grid.lines[index]
        if not line.scenario:
            style = self.get_component_rich_style("matrix--category")
            text = set_cell_size(one_line(line.title), width)
            return Strip([Segment(text, style)]).crop_extend(0, width, style)
        return self._draw_row(index, width)

    def _draw_head(self, y: int, width: int) -> Strip:
        assert self._grid
        style = self.get_component_rich_style("matrix--head")
        cells: list[Segment] = []
        if y == 0 and self._head == 2:
            groups = {one_line(c.group) for c in self._columns}
            for group, columns in groupby(self._columns, key=lambda c: c.group):
                room = sum(c.width for c in columns)
                name = shorten_apart(one_line(group), groups, room - 1)
                cells.append(Segment(set_cell_size(" " + name, room), style))
        else:
            for c in self._columns:
                title = Text(c.title, end="")
                title.align("center", c.width)
                cells.append(Segment(set_cell_size(title.plain, c.width), style))
        return self._join(Segment(" " * self._names, style), cells, width, style)

    def _draw_row(self, index: int, width: int) -> Strip:
        assert self._grid
        is_here = index == self.row
        base = self.get_component_rich_style("matrix--row" if is_here else "matrix--name")
        title = one_line(self._grid.lines[index].title)
        text = Text("  " + title)
        text.truncate(self._names - 1, overflow="ellipsis")
        name = Segment(set_cell_size(text.plain, self._names), base)
        colours = palette(self.app.current_theme.dark)
        cursor = self.get_component_rich_style("matrix--cursor")
        cells: list[Segment] = []
        for place, column in enumerate(self._columns):
            under = cursor if is_here and place == self.column and self.has_focus else base
            cell = self._grid.draw(index, place, colours)
            pad = column.width - cell.cell_len
            cells.append(Segment(" " * (pad // 2), under))
            for part in cell.render(self.app.console):
                if part.text:
                    cells.append(Segment(part.text, under + (part.style or Style())))
            cells.append(Segment(" " * (pad - pad // 2), under))
        return self._join(name, cells, width, base)

    def _join(self, name: Segment, cells: list[Segment], width: int, style: Style) -> Strip:
        x = self.scroll_offset.x
        rest = Strip(cells).crop_extend(x, x + max(0, width - self._names), style)
        return Strip.join([Strip([name]), rest])
