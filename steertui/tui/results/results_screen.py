"""Results screen: sentences on the comparisons, and tables with drill-downs to the trials."""

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from steertui.analysis.formatting import table_title
from steertui.analysis.summary import Summary
from steertui.errors import SteertuiError
from steertui.printable import one_line
from steertui.stats.rate import Policy
from steertui.store.read_only import newest_change
from steertui.store.trial_filter import TrialFilter, find_trials
from steertui.store.trials import list_trials
from steertui.tui.pending_labels import labelling_judges
from steertui.tui.results.counting import Counted, count
from steertui.tui.results.counting_note import COUNTING, CountingNote
from steertui.tui.results.missing import empty_reason
from steertui.tui.results.overview import Overview, make_overview
from steertui.tui.results.place import PlacedScroll
from steertui.tui.results.report_screen import ReportScreen
from steertui.tui.results.table_text import draw_table_text
from steertui.tui.results.tables import (
    ResultTable,
    drill_down_filter,
)
from steertui.tui.results.tables_pane import TablesPane
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.live_page import LivePage
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.screen_words import in_screen_words
from steertui.tui.widgets.stable_table import StableTable

HELP = """
With several tables, the overview has one row for each: its primary comparison, tested by itself,
the paper's gap for the same model and policy, and the finding. **Enter** shows the table.

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
Report and export have the policy of this screen. Another experiment starts with *paper*.
"""

OVERVIEW = (
    "primary comparison of each table, largest gap first: enter shows the table, tab goes to the "
    "text and tables below"
)

POLICIES = [
    ("paper", "paper: nonsensical answers are excluded"),
    ("all", "all: no answer is excluded"),
    ("exclude-refusals", "exclude-refusals: safety refusals are excluded, too"),
]


class ResultsScreen(LivePage):
    """Screen with one table of the summary at a time."""

    NAME = "results"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "table", "Table", id="results.table", tooltip="Another model or judge"),
        Binding("o", "policy", "Policy", id="results.policy", tooltip="Excluded answers"),
        Binding("h", "heat_map", "Heat map", id="results.heat", tooltip="Categories × conditions"),
        Binding("f", "changed", "Changed", id="results.changed", tooltip="Changed labels"),
        Binding("r", "report", "Report", id="results.report", tooltip="All that the report says"),
        Binding(
            "e", "export_experiment", "Export", id="results.export", tooltip="HTML, CSV, Markdown"
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._counted: Counted | None = None
        self._state: tuple[Policy, float] | None = None
        self._index = 0
        self._version = -1
        self._overview = Overview()
        self._marked: tuple[tuple[int, ...], int] | None = None
        self._is_counting = False
        self._held: list[str] = []

    def body(self) -> ComposeResult:
        """Yield the sentences and the tables."""
        yield CountingNote()
        yield Static(OVERVIEW, classes="heading", id="overview-head")
        yield StableTable(id="overview", cursor_type="row")
        with PlacedScroll(id="results-box"):
            yield ReflowingText(id="sentences")
            yield TablesPane()

    def on_resize(self) -> None:
        """Draw overview and tables for the new width, and keep the place."""
        super().on_resize()
        if self._summary:
            self.call_after_refresh(self._draw)
            self.query_one(PlacedScroll).keep_place()

    def recolour(self) -> None:
        """Draw in the colours of the theme; what is counted is not counted again."""
        if self._counted:
            self._draw()
        else:
            self.reload()

    def reload(self) -> None:
        """Summarise the experiment again."""
        if self._version != self.session.version:
            self._version, self._index, self._marked = self.session.version, 0, None
            self._forget()
        self._count()

    def _forget(self) -> None:
        """Show that the open experiment is being counted, and no number of another one."""
        self._counted = None
        self._held = []
        self._is_counting = bool(self.session.id)
        self.show_empty()
        self._table("overview").display = False
        self.query_one("#overview-head").display = False
        self.query_one(TablesPane).clear()
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
        state = policy, newest_change(self.session.db)
        begun = note.begin() if self._counted and self._state != state else None
        try:
            self._counted = await self.session.with_store(
                lambda store: count(store, experiment, policy)
            )
        except SteertuiError as exc:
            self._is_counting = False
            self._counted = None
            self.refresh_bindings()
            self.show_empty(f"No results: {in_screen_words(str(exc))}.")
            return
        finally:
            note.end(begun)
        self._is_counting = False
        self._state = state
        self._draw()
        for action in self._held:
            self.call_after_refresh(self.run_action, action)
        self._held = []
        if policy is Policy.PAPER:
            self.host.note(self._counted.summary)

    def _draw(self) -> None:
        if not self._counted or not self._counted.summary.tables:
            self.show_empty("No results: no trial was run yet. 2 opens the Run screen.")
            self.refresh_bindings()
            return
        self.show_empty()
        counted, colours = self._counted, self.colours
        summary = counted.summary
        index = self._index = min(self._index, len(summary.tables) - 1)
        self._show_overview()
        self.query_one("#sentences", ReflowingText).draw_with(
            lambda size: draw_table_text(summary, index, size.width, colours)
        )
        self.query_one(TablesPane).show(counted, index, colours, self._missing)
        self.refresh_bindings()

    def _show_overview(self) -> None:
        """Show one row per table, if there are several, with the cursor on the shown table's."""
        assert self._summary
        self._overview = make_overview(self._summary.tables, self.size.width, self.colours)
        grid = self._table("overview")
        grid.fill(self._overview.content)
        tables = self._overview.tables
        if self._marked != (tables, self._index) and self._index in tables:
            self._marked = tables, self._index
            grid.move_cursor(row=tables.index(self._index))
        grid.display = bool(self._overview.tables)
        head = self.query_one("#overview-head", Static)
        head.display = grid.display
        head.update(". ".join(filter(None, (OVERVIEW, self._overview.legend))))
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
        shown = self.query_one(TablesPane).tables.get(event.data_table.id or "", ResultTable())
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
        if action in ("policy", "report", "export_experiment"):
            return bool(summary and summary.tables)
        if action == "heat_map":
            return self.query_one("#heat-map").display
        if action == "changed":
            return bool(self.query_one(TablesPane).tables.get("changed", ResultTable()).drill_downs)
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
