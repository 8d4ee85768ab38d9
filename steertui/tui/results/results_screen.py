"""Results screen: sentences on the comparisons, and tables with drill-downs to the trials."""

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import DataTable, Static

from steertui.analysis.category_rows import category_legend
from steertui.analysis.formatting import pair_title, shared_legend, table_title
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.errors import SteertuiError
from steertui.printable import one_line
from steertui.stats.rate import Policy
from steertui.store.trial_filter import TrialFilter, find_trials
from steertui.store.trials import list_trials
from steertui.tui.pending_labels import labelling_judges
from steertui.tui.results.counting import Counted, count
from steertui.tui.results.counting_note import COUNTING, CountingNote
from steertui.tui.results.heat_map import draw_heat_map, has_heat_map
from steertui.tui.results.missing import empty_reason
from steertui.tui.results.overview import Overview, make_overview
from steertui.tui.results.place import Place, scroll_back, visible_places
from steertui.tui.results.report_screen import ReportScreen
from steertui.tui.results.table_text import draw_table_text
from steertui.tui.results.tables import (
    HEADINGS,
    TABLE_EDGES,
    ResultTable,
    agreement_table,
    categories_table,
    changed_table,
    drill_down_filter,
    rates_table,
    tables_width,
)
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.tui.widgets.stable_table import StableTable

HELP = """
With several tables, the overview has one row for each: its primary comparison, tested by itself,
the gap that the paper published for the same model, and the finding. **Enter** shows the table.

The sentences report a difference only if the exact paired test rejects equality: at 5 % for the
primary comparison, after Holm's correction for the declared family. Below the rates and the
warnings are models of several sizes or stages of one training, and what the numbers do not say.

The tables show rates by condition and by category, scenarios with changed labels, and the agreement
of the judges. **Enter** on a number opens its trials; on a scenario with changed labels, it shows
the answers side by side.

**o** chooses the policy: which answers the convergence rate excludes. *paper* excludes nonsensical
answers, *all* excludes none, *exclude-refusals* excludes nonsensical answers and safety refusals.
**t** chooses another model, temperature or judge. **h** scrolls to the heat map: the convergence of
every category under every condition, and the valid answers; with several models, each is a head
over its conditions. Conditions have the colours that they have in the report's figures. **r** shows
the whole report, as the command `steertui report` prints it. **e** writes the report to a file.
Report and export have the policy of this screen.
"""

HEAT_MAP = "heat map of categories × conditions"

LEGEND_HEAD = "convergence in per cent and valid answers"

OVERVIEW = "primary comparison of each table, largest gap first: enter shows the table"

POLICIES = [
    ("paper", "paper: nonsensical answers are excluded"),
    ("all", "all: no answer is excluded"),
    ("exclude-refusals", "exclude-refusals: safety refusals are excluded, too"),
]


class ResultsScreen(Page):
    """Screen with one table of the summary at a time."""

    NAME = "results"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "table", "Table", id="results.table", tooltip="Another model or judge"),
        Binding("o", "policy", "Policy", id="results.policy", tooltip="Excluded answers"),
        Binding("h", "heat_map", "Heat map", id="results.heat", tooltip="Categories × conditions"),
        Binding("f", "changed", "Changed", id="results.changed", tooltip="Changed labels"),
        Binding("r", "report", "Report", id="results.report", tooltip="All that the report says"),
        Binding("e", "app.export", "Export", id="results.export", tooltip="HTML, CSV, Markdown"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._counted: Counted | None = None
        self._index = 0
        self._version = -1
        self._tables: dict[str, ResultTable] = {}
        self._overview = Overview()
        self._is_counting = False
        self._held: list[str] = []
        self._places: list[Place] = []
        self._drawn_size = Size()

    def body(self) -> ComposeResult:
        """Yield the sentences and the tables."""
        yield CountingNote()
        yield Static(OVERVIEW, classes="heading", id="overview-head")
        yield StableTable(id="overview", cursor_type="row")
        with MoveScroll(id="results-box"):
            yield ReflowingText(id="sentences")
            with Vertical(id="results-tables"):
                yield Static(classes="heading", id="heat-map-head", markup=False)
                yield ReflowingText(id="heat-map")
                for name in HEADINGS:
                    yield Static(classes="heading", id=f"{name}-head", markup=False)
                    yield StableTable(id=name, classes="results")

    def on_mount(self) -> None:
        """Note the place after each layout."""
        self._drawn_size = self.app.size
        self.screen_layout_refresh_signal.subscribe(self, self._note_places, immediate=True)

    def _hide_tables(self) -> None:
        """Hide heat map and tables until they have rows."""
        self.query_one("#heat-map").display = False
        self.query_one("#heat-map-head").display = False
        for table in self.query(DataTable):
            table.display = False
            self.query_one(f"#{table.id}-head").display = False

    def on_resize(self) -> None:
        """Draw overview and tables for the new width, and keep the place."""
        super().on_resize()
        if self._summary:
            self.call_after_refresh(self._draw)
            self.call_after_refresh(self.call_after_refresh, self._keep_place)

    def _keep_place(self, former: int = -1) -> None:
        """Scroll to where the box was in the former size, until no layout moves it any more."""
        line = scroll_back(self.query_one("#results-box", MoveScroll), self._places)
        if line != former:
            self.call_after_refresh(self.call_after_refresh, self._keep_place, line)
        else:
            self._drawn_size = self.app.size

    def _note_places(self, _: Screen[object]) -> None:
        """Note what is visible after a layout, but not while another size is drawn."""
        if self.app.size == self._drawn_size:
            self._places = visible_places(self.query_one("#results-box", MoveScroll))

    def reload(self) -> None:
        """Summarise the experiment again."""
        if self._version != self.session.version:
            self._version, self._index = self.session.version, 0
            self._forget()
        self._count()

    def _forget(self) -> None:
        """Show that the open experiment is being counted, and no number of another one."""
        self._counted = None
        self._tables = {}
        self._held = []
        self._is_counting = bool(self.session.id)
        self.show_empty()
        self._hide_tables()
        self.set_focus(None)
        text = Text(COUNTING, self.colours.quiet)
        self.query_one("#sentences", ReflowingText).draw_with(lambda _: text)
        self.refresh_bindings()

    @work(exclusive=True, group="count", exit_on_error=False)
    async def _count(self) -> None:
        experiment, policy = self.session.id, self.session.policy
        if not experiment:
            self.show_empty(f"No results: {self.session.unplanned}.")
            return
        note = self.query_one(CountingNote)
        begun = note.begin() if self._counted else None
        try:
            self._counted = await self.session.with_store(
                lambda store: count(store, experiment, policy)
            )
        except SteertuiError as exc:
            self._is_counting = False
            self.show_empty(f"No results: {in_screen_words(str(exc))}.")
            return
        finally:
            note.end(begun)
        self._is_counting = False
        self._draw()
        for action in self._held:
            self.call_after_refresh(self.run_action, action)
        self._held = []
        if policy is Policy.PAPER:
            self.host.note(self._counted.summary)

    def _draw(self) -> None:
        if not self._counted or not self._counted.summary.tables:
            self.show_empty("No results: no trial was run yet. 2 opens the Run screen.")
            return
        self.show_empty()
        counted, colours = self._counted, self.colours
        summary = counted.summary
        index = self._index = min(self._index, len(summary.tables) - 1)
        table = summary.tables[index]
        self._show_overview()
        self.query_one("#sentences", ReflowingText).draw_with(
            lambda size: draw_table_text(summary, index, size.width, colours)
        )
        tables = {
            "rates-table": rates_table(table, colours),
            "categories": categories_table(table, colours),
            "agreement": agreement_table(counted.agreement, colours),
        }
        room = self._share_width(max(shown.content.width for shown in tables.values()))
        self._tables = tables | {"changed": changed_table(table, counted.titles, colours, room)}
        self._show_heat_map(table)
        for name, shown in self._tables.items():
            self._show_table(name, shown)
        self.refresh_bindings()

    def _show_overview(self) -> None:
        """Show one row per table, if there are several."""
        assert self._summary
        self._overview = make_overview(self._summary.tables, self.size.width, self.colours)
        grid = self._table("overview")
        grid.fill(self._overview.content)
        grid.display = bool(self._overview.tables)
        results = [table.primary for table in self._summary.tables if table.primary]
        head = self.query_one("#overview-head", Static)
        head.display = grid.display
        head.update(". ".join(filter(None, (OVERVIEW, shared_legend(results)))))
        if not (self.focused and self.focused.display):
            (grid if grid.display else self.query_one("#results-box")).focus(scroll_visible=False)

    @on(DataTable.RowSelected, "#overview")
    def _table_chosen(self, event: DataTable.RowSelected) -> None:
        self._show(self._overview.tables[event.cursor_row])
        self.query_one("#results-box").scroll_home(animate=False)

    def _show(self, index: int) -> None:
        """Show another table."""
        self._index = index
        self._draw()

    @property
    def _summary(self) -> Summary | None:
        """The summary of the open experiment; None until it is counted."""
        return self._counted.summary if self._counted else None

    def _share_width(self, needed: int) -> int:
        """Give the tables up to `needed` columns beside the sentences; return their columns."""
        part = self.query_one("#results-tables")
        width = part.content_size.width
        if self.has_class("-vast"):
            width = tables_width(self.query_one("#results-box").content_size.width, needed)
        part.styles.width = width if self.has_class("-vast") else None
        return width - TABLE_EDGES

    def _show_heat_map(self, table: Table) -> None:
        """Show the heat map, unless there is nothing to compare."""
        assert self._summary
        tables, colours = self._summary.tables, self.colours
        heat_map = self.query_one("#heat-map", ReflowingText)
        heat_map.draw_with(lambda size: draw_heat_map(table, tables, size.width, colours))
        heat_map.display = has_heat_map(table)
        note = LEGEND_HEAD if heat_map.display else self._missing("categories")
        head = self.query_one("#heat-map-head", Static)
        head.display = True
        head.update(f"{HEAT_MAP}: {note}")

    def _show_table(self, name: str, table: ResultTable) -> None:
        """Show a table and its heading, or why it is empty."""
        grid = self._table(name)
        grid.fill(table.content)
        rows = len(table.content.rows)
        grid.display = rows > 0
        grid.fixed_columns = 1
        title, hint = HEADINGS[name]
        part = f" (the first {rows:,} of {rows + table.left_out:,})" if table.left_out else ""
        note = hint if rows else self._missing(name)
        if name == "categories" and rows:
            note = self._category_note(note)
        head = self.query_one(f"#{name}-head", Static)
        head.display = True
        head.update(f"{title}{part}: {note}")

    def _category_note(self, hint: str) -> str:
        """Return which gap the table of categories has, and the meaning of its columns."""
        assert self._summary
        table = self._summary.tables[self._index]
        gap = f"Gap: {pair_title(table.primary)}" if table.primary else ""
        return ". ".join(filter(None, (hint, gap, category_legend(table))))

    def _missing(self, name: str) -> str:
        """Return why a table is empty."""
        assert self._counted
        return empty_reason(
            name,
            self._counted.summary.tables[self._index],
            has_pair=self._counted.agreement is not None,
            is_at_work=self.host.is_at_work,
            planned_judges=len(labelling_judges(self.session.experiment)),
        )

    def _table(self, name: str) -> StableTable:
        return self.query_one(f"#{name}", StableTable)

    @on(DataTable.CellSelected)
    async def _opened(self, event: DataTable.CellSelected) -> None:
        cell = (event.coordinate.row, event.coordinate.column)
        shown = self._tables.get(event.data_table.id or "", ResultTable())
        fields = shown.drill_downs.get(cell)
        if fields is None or not self._summary:
            return
        wanted = drill_down_filter(self._summary.tables[self._index], fields)
        if event.data_table.id == "changed":
            await self._compare_answers(wanted)
        else:
            await self.host.show_trials(wanted)

    async def _compare_answers(self, wanted: TrialFilter) -> None:
        lines = await self.session.with_store(
            lambda store: list_trials(store, find_trials(store, wanted)[:1], "")
        )
        if lines:
            await self.host.compare(lines[0].key)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Enable the keys that have an effect now."""
        summary = self._summary
        if self._is_counting:
            return True
        if action == "table":
            return bool(summary and len(summary.tables) > 1)
        if action in ("policy", "report"):
            return bool(summary and summary.tables)
        if action == "heat_map":
            return self.query_one("#heat-map").display
        if action == "changed":
            return bool(self._tables.get("changed", ResultTable()).drill_downs)
        return True

    async def action_report(self) -> None:
        """Show the whole report."""
        await self.app.push_screen(ReportScreen(self.session.policy))

    def _is_held(self, action: str) -> bool:
        """Whether an action follows the count that is in progress."""
        if self._is_counting:
            self._held.append(action)
        return self._is_counting

    def action_heat_map(self) -> None:
        """Scroll to the heat map."""
        if self._is_held("heat_map"):
            return
        self.query_one("#heat-map-head").scroll_visible(top=True, animate=False)

    def action_changed(self) -> None:
        """Focus the table of changed labels."""
        if self._is_held("changed"):
            return
        self._table("changed").focus(scroll_visible=False)
        heading = self.query_one("#changed-head")
        # The table may have got its rows just now, so scroll after the layout.
        self.call_after_refresh(heading.scroll_visible, top=True, animate=False)

    @work(exit_on_error=False)
    async def action_table(self) -> None:
        """Choose another table."""
        if self._is_held("table") or not self._summary or not self._summary.tables:
            return
        options = [(str(i), one_line(table_title(t))) for i, t in enumerate(self._summary.tables)]
        chosen = await self.app.push_screen_wait(
            ChooseOne("Which table?", options, str(self._index))
        )
        if chosen is not None:
            self._show(int(chosen))

    @work(exit_on_error=False)
    async def action_policy(self) -> None:
        """Choose which answers the convergence rate excludes."""
        chosen = await self.app.push_screen_wait(
            ChooseOne(
                "Which answers does the convergence rate exclude?", POLICIES, self.session.policy
            )
        )
        if chosen is not None:
            self.session.policy = Policy(chosen)
            self._count()
