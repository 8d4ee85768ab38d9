"""The Results screen: sentences first, then tables whose every number leads to its trials."""

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import DataTable, Static

from steertui.analysis.formatting import table_title
from steertui.analysis.judge_agreement import JudgeAgreement, compare_judges
from steertui.analysis.summary import Summary, summarise_experiment
from steertui.analysis.table import Table
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.setup_queries import scenario_titles
from steertui.store.trial_filter import TrialFilter, find_trials
from steertui.store.trials import list_trials
from steertui.tui.results.rates import draw_table
from steertui.tui.results.tables import (
    DrillDowns,
    fill_agreement,
    fill_categories,
    fill_flips,
    fill_rates,
)
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.layout import hanging_indent
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.sanitize import one_line

HELP = """
The sentences claim no more than the data carry: a difference is called one only where the exact
paired test says so, after Holm's correction over all that the table tests.

Below them are the rates by condition and by category, the scenarios whose label moved, and how far
two judges agree. **Enter** on any number opens the trials behind it; on a moved scenario, its
answers side by side.

**o** chooses the policy, what the convergence rate leaves out: *paper* leaves out nonsense, *all*
nothing, *exclude-refusals* refusals, too. **t** chooses another model, temperature or judge.
"""


class ResultsScreen(Page):
    """One table of a summary at a time, with all that belongs to it."""

    NAME = "results"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "table", "Table", id="results.table", tooltip="Another model or judge"),
        Binding("o", "policy", "Policy", id="results.policy", tooltip="What the rate leaves out"),
        Binding("f", "flips", "Moved", id="results.flips", tooltip="Whose label moved"),
        Binding("e", "app.export", "Export", id="results.export", tooltip="HTML, CSV, Markdown"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._summary: Summary | None = None
        self._concord: JudgeAgreement | None = None
        self._policy = Policy.PAPER
        self._at = 0
        self._version = -1
        self._leads: dict[str, DrillDowns] = {}
        self._titles: dict[str, str] = {}

    def body(self) -> ComposeResult:
        """Lay out: sentences, rates, categories, what moved, agreement."""
        with VerticalScroll(id="results-box"):
            yield ReflowingText(id="sentences")
            with Vertical(id="results-tables"):
                for name, told in (
                    ("rates-table", "by condition: enter reads the trials behind a number"),
                    ("categories", "by category, convergence in percent"),
                    ("flips", "labels that moved: enter shows one side by side"),
                    ("agreement", "judges beside each other"),
                ):
                    yield Static(told, classes="heading", id=f"{name}-head")
                    yield DataTable[Text](id=name, classes="results")

    def on_mount(self) -> None:
        """Begin with nothing to show."""
        for table in self.query(DataTable):
            table.display = False
            self.query_one(f"#{table.id}-head").display = False

    def reload(self) -> None:
        """Count anew."""
        if self._version != self.session.version:
            self._version, self._at = self.session.version, 0
        self._count()

    @work(exclusive=True, group="count", exit_on_error=False)
    async def _count(self) -> None:
        experiment, policy = self.session.id, self._policy
        if not experiment:
            self.show_empty("There are no results yet: nothing was run.")
            return
        self._summary, self._concord, self._titles = await self.session.ask(
            lambda store: (
                summarise_experiment(store, experiment, policy),
                _compare(store, experiment),
                scenario_titles(store),
            )
        )
        self._draw()

    def _draw(self) -> None:
        if not self._summary or not self._summary.tables:
            self.show_empty("There is nothing to count yet: 2 runs what is planned.")
            return
        self.show_empty()
        self._at = min(self._at, len(self._summary.tables) - 1)
        table = self._summary.tables[self._at]
        self.query_one("#sentences", ReflowingText).draw_with(
            lambda room: self._sentences(table, room.width)
        )
        colours = self.colours
        drawn = {
            "rates-table": fill_rates(self._table("rates-table"), table),
            "categories": fill_categories(self._table("categories"), table),
            "flips": fill_flips(self._table("flips"), table, self._titles, colours),
            "agreement": fill_agreement(self._table("agreement"), self._concord, colours),
        }
        for name, leads in drawn.items():
            self._table(name).display = bool(leads)
            self.query_one(f"#{name}-head").display = bool(leads)
        self._leads = drawn
        self.refresh_bindings()

    def _table(self, name: str) -> DataTable[Text]:
        return self.query_one(f"#{name}", DataTable)

    def _sentences(self, table: Table, width: int) -> Text:
        c, text = self.colours, Text()
        assert self._summary
        many = len(self._summary.tables)
        text.append(one_line(table_title(table)), "bold")
        text.append(f"   table {self._at + 1} of {many}" if many > 1 else "", c.quiet)
        text.append(f"   policy {table.policy}\n\n", c.quiet)
        for notice in self._summary.notices:
            lead = Text("! ", f"bold {c.warning}")
            text.append_text(hanging_indent(lead, Text(notice, c.warning), width)).append("\n\n")
        for place, comparison in enumerate(table.comparisons):
            lead = Text("▶ " if place == 0 else "▷ ", c.blue)
            said = Text(f"{comparison.sentence}.", "bold" if place == 0 else "")
            text.append_text(hanging_indent(lead, said, width)).append("\n")
        if not table.judge:
            text.append("The answers are stored and no judge has read them yet.\n", c.quiet)
        text.append("\n")
        text.append_text(draw_table(table, min(width, 130), c)).append("\n")
        for warning in table.warnings:
            text.append("\n")
            text.append_text(
                hanging_indent(Text("! ", f"bold {c.warning}"), Text(f"{warning}."), width)
            )
        return text

    @on(DataTable.CellSelected)
    async def _opened(self, event: DataTable.CellSelected) -> None:
        place = event.coordinate.row, event.coordinate.column
        found = self._leads.get(event.data_table.id or "", {}).get(place)
        if found is None or not self._summary:
            return
        table = self._summary.tables[self._at]
        judge = {"judge": table.judge.id} if table.judge else {}
        here = {"experiment": table.experiment} | judge
        if "other" not in found:  # judges are beside each other over all models and temperatures
            here |= {"model": table.setting.model, "temperature": repr(table.setting.temperature)}
        wanted = TrialFilter(**here | found)
        if event.data_table.id == "flips":
            await self._beside(wanted)
        else:
            await self.host.show_trials(wanted)

    async def _beside(self, wanted: TrialFilter) -> None:
        rows = await self.session.ask(lambda store: find_trials(store, wanted))
        lines = await self.session.ask(lambda store: list_trials(store, rows[:1], ""))
        if lines:
            await self.host.compare(lines[0].key)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer what there is."""
        summary = self._summary
        if action == "table":
            return bool(summary and len(summary.tables) > 1)
        if action == "policy":
            return bool(summary and summary.tables)
        return bool(self._leads.get("flips")) if action == "flips" else True

    def action_flips(self) -> None:
        """Go to the scenarios whose label moved."""
        self._table("flips").focus(scroll_visible=False)
        head = self.query_one("#flips-head")
        self.call_after_refresh(head.scroll_visible, top=True, animate=False)  # once it is laid out

    @work(exit_on_error=False)
    async def action_table(self) -> None:
        """Choose another table."""
        if not self._summary or not self._summary.tables:
            return
        options = [(str(i), one_line(table_title(t))) for i, t in enumerate(self._summary.tables)]
        chosen = await self.app.push_screen_wait(ChooseOne("Which table?", options, str(self._at)))
        if chosen is not None:
            self._at = int(chosen)
            self._draw()

    @work(exit_on_error=False)
    async def action_policy(self) -> None:
        """Choose what the convergence rate leaves out."""
        options = [
            ("paper", "paper: nonsensical answers are left out"),
            ("all", "all: nothing is left out"),
            ("exclude-refusals", "exclude-refusals: refusals are left out, too"),
        ]
        chosen = await self.app.push_screen_wait(
            ChooseOne("What does the convergence rate leave out?", options, self._policy)
        )
        if chosen is not None:
            self._policy = Policy(chosen)
            self._count()


def _compare(store: Store, experiment: str) -> JudgeAgreement | None:
    """Return how far the judges agree, None where fewer than two have read anything."""
    return compare_judges(store, experiment) if len(store.judges(experiment)) > 1 else None
