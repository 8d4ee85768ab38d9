"""Heat map and tables of one table of a summary, with headings that say why one is empty."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from steertui.analysis.category_rows import category_legend
from steertui.analysis.formatting import pair_title
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.tui.results.counting import Counted
from steertui.tui.results.heat_map import draw_heat_map, has_heat_map
from steertui.tui.results.tables import (
    HEADINGS,
    TABLE_EDGES,
    ResultTable,
    agreement_table,
    categories_table,
    changed_table,
    rates_table,
    tables_width,
)
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.stable_table import StableTable

HEAT_MAP = "heat map of categories × conditions"

LEGEND_HEAD = "convergence in per cent and valid answers"

Reason = Callable[[str], str]
"""Function that returns why the table with this widget id has no rows."""


class TablesPane(Vertical):
    """Part of Results with the heat map and the tables, beside the sentences if there is room.

    Attributes:
        tables: the shown tables by widget id.
    """

    def __init__(self) -> None:
        super().__init__(id="results-tables")
        self.tables: dict[str, ResultTable] = {}

    def compose(self) -> ComposeResult:
        """Yield heat map and tables, each below its heading."""
        yield Static(classes="heading", id="heat-map-head", markup=False)
        yield ReflowingText(id="heat-map")
        for name in HEADINGS:
            yield Static(classes="heading", id=f"{name}-head", markup=False)
            yield StableTable(id=name, classes="results")

    def clear(self) -> None:
        """Hide heat map and tables until they have rows."""
        self.tables = {}
        for name in ("heat-map", *HEADINGS):
            self.query_one(f"#{name}").display = False
            self.query_one(f"#{name}-head").display = False

    def show(self, counted: Counted, index: int, colours: Palette, reason: Reason) -> None:
        """Show heat map and tables of one table of the summary."""
        table = counted.summary.tables[index]
        tables = {
            "rates-table": rates_table(table, colours),
            "categories": categories_table(table, colours),
            "agreement": agreement_table(counted.agreement, colours),
        }
        room = self._share_width(max(shown.content.width for shown in tables.values()))
        self.tables = tables | {"changed": changed_table(table, counted.titles, colours, room)}
        self._show_heat_map(table, counted.summary, colours, reason)
        for name, shown in self.tables.items():
            hint = HEADINGS[name][1]
            if name == "categories":
                hint = _category_note(hint, table)
            self._show_table(name, shown, hint if shown.content.rows else reason(name))

    def _share_width(self, needed: int) -> int:
        """Take up to `needed` columns beside the sentences; return the columns of the tables."""
        width = self.content_size.width
        is_beside = self.screen.has_class("-vast")
        if is_beside:
            box = self.parent
            assert isinstance(box, Widget)
            width = tables_width(box.content_size.width, needed)
        self.styles.width = width if is_beside else None
        return width - TABLE_EDGES

    def _show_heat_map(
        self, table: Table, summary: Summary, colours: Palette, reason: Reason
    ) -> None:
        """Show the heat map, unless there is nothing to compare."""
        heat_map = self.query_one("#heat-map", ReflowingText)
        heat_map.draw_with(lambda size: draw_heat_map(table, summary.tables, size.width, colours))
        heat_map.display = has_heat_map(table)
        self._head("heat-map", HEAT_MAP, LEGEND_HEAD if heat_map.display else reason("categories"))

    def _show_table(self, name: str, table: ResultTable, note: str) -> None:
        """Show a table, if it has rows, and its heading with a note."""
        grid = self.query_one(f"#{name}", StableTable)
        grid.fill(table.content)
        rows = len(table.content.rows)
        grid.display = rows > 0
        grid.fixed_columns = 1
        part = f" (the first {rows:,} of {rows + table.left_out:,})" if table.left_out else ""
        self._head(name, f"{HEADINGS[name][0]}{part}", note)

    def _head(self, name: str, title: str, note: str) -> None:
        head = self.query_one(f"#{name}-head", Static)
        head.display = True
        head.update(f"{title}: {note}")


def _category_note(hint: str, table: Table) -> str:
    """Return which gap the table of categories has, and the meaning of its columns."""
    gap = f"Gap: {pair_title(table.primary)}" if table.primary else ""
    return ". ".join(filter(None, (hint, gap, category_legend(table))))
