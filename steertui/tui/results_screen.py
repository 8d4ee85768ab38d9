"""The Results screen: sentences first, then tables whose every number leads to its trials."""

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Static

from steertui.concord import Concord, compare
from steertui.errors import SteertuiError
from steertui.rate import Policy
from steertui.report.summary import Summary, summarise
from steertui.report.table import Table
from steertui.report.words import title
from steertui.store import Store
from steertui.store.trials import TrialFilter, find_trials, list_trials
from steertui.tui.choose import Choose
from steertui.tui.frame import Page
from steertui.tui.plain import one_line
from steertui.tui.rates import draw_rates
from steertui.tui.tables import Leads, fill_agreement, fill_categories, fill_flips, fill_rates

HELP = """
The sentences claim no more than the data carry: a difference is called one only where the exact
paired test says so, after Holm's correction over all that the table tests.

Below them are the rates by condition and by category, the scenarios whose label moved, and how far
two judges agree. **Enter** on any number opens the trials behind it; on a moved scenario, its
answers side by side.

**o** chooses the policy, what the convergence rate leaves out: *paper* leaves out nonsense, *all*
nothing, *engaged* refusals, too. **t** chooses another model, temperature or judge.
"""


class ResultsScreen(Page):
    """One table of a summary at a time, with all that belongs to it."""

    NAME = "results"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "table", "Table", id="results.table", tooltip="Another model or judge"),
        Binding("o", "policy", "Policy", id="results.policy", tooltip="What the rate leaves out"),
        Binding("e", "app.export", "Export", id="results.export", tooltip="HTML, CSV, Markdown"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._summary: Summary | None = None
        self._concord: Concord | None = None
        self._policy = Policy.PAPER
        self._at = 0
        self._version = -1
        self._leads: dict[str, Leads] = {}

    def body(self) -> ComposeResult:
        """Lay out: sentences, rates, categories, what moved, agreement."""
        with VerticalScroll(id="results-box"):
            yield Static(id="sentences", markup=False)
            for name, told in (
                ("rates-table", "by condition, in percent"),
                ("categories", "by category, convergence in percent"),
                ("flips", "labels that moved"),
                ("agreement", "judges beside each other"),
            ):
                yield Static(told, classes="heading", id=f"{name}-head")
                yield DataTable[Text](id=name, classes="results")

    def on_mount(self) -> None:
        """Begin with nothing to show."""
        for table in self.query(DataTable):
            table.display = False
            self.query_one(f"#{table.id}-head").display = False

    def refill(self) -> None:
        """Count anew."""
        if self._version != self.session.version:
            self._version, self._at = self.session.version, 0
        self._count()

    @work(exclusive=True, group="count")
    async def _count(self) -> None:
        experiment, policy = self.session.id, self._policy
        if not experiment:
            self._say("No experiment is open. Press 0 for the demo, or 1 to plan one.")
            return
        try:
            self._summary, self._concord = await self.session.ask(
                lambda store: (summarise(store, experiment, policy), _compare(store, experiment))
            )
        except SteertuiError as exc:
            self._say(f"{exc}. Press 0 for the demo, or 1 to plan an experiment.")
            return
        self._draw()

    def _say(self, text: str) -> None:
        self.query_one("#sentences", Static).update(Text(text, self.colours.quiet))

    def _draw(self) -> None:
        if not self._summary or not self._summary.tables:
            self._say("There is nothing to count yet. Press 2 to run what is planned.")
            return
        self._at = min(self._at, len(self._summary.tables) - 1)
        table = self._summary.tables[self._at]
        width = max(60, self.query_one("#results-box").size.width - 6)
        self.query_one("#sentences", Static).update(self._sentences(table, width))
        colours = self.colours
        drawn = {
            "rates-table": fill_rates(self._table("rates-table"), table),
            "categories": fill_categories(self._table("categories"), table),
            "flips": fill_flips(self._table("flips"), table, colours),
            "agreement": fill_agreement(self._table("agreement"), self._concord, colours),
        }
        for name, leads in drawn.items():
            self._table(name).display = bool(leads)
            self.query_one(f"#{name}-head").display = bool(leads)
        self._leads = drawn

    def _table(self, name: str) -> DataTable[Text]:
        return self.query_one(f"#{name}", DataTable)

    def _sentences(self, table: Table, width: int) -> Text:
        c, text = self.colours, Text()
        assert self._summary
        many = len(self._summary.tables)
        text.append(one_line(title(table)), "bold")
        text.append(f"   table {self._at + 1} of {many}" if many > 1 else "", c.quiet)
        text.append(f"   policy {table.policy}\n\n", c.quiet)
        for place, comparison in enumerate(table.comparisons):
            mark, style = ("▶ ", "bold") if place == 0 else ("  ", "")
            text.append(mark, c.blue).append(f"{comparison.sentence}.\n", style)
        if not table.judge:
            text.append("The answers are stored and no judge has read them yet.\n", c.quiet)
        for warning in table.warnings:
            text.append(f"! {warning}.\n", c.warning)
        text.append("\n")
        one = Summary(self._summary.experiments, (table,), self._summary.remarks)
        return text.append_text(draw_rates(one, min(width, 130), c))

    @on(DataTable.CellSelected)
    async def _opened(self, event: DataTable.CellSelected) -> None:
        place = event.coordinate.row, event.coordinate.column
        found = self._leads.get(event.data_table.id or "", {}).get(place)
        if found is None or not self._summary:
            return
        table = self._summary.tables[self._at]
        judge = {"judge": table.judge.id} if table.judge else {}
        here = {"experiment": table.experiment, "model": table.arm.model} | judge
        if "other" in found:  # over all models: the judges are beside each other, not the models
            del here["model"]
        wanted = TrialFilter(**here | found)
        if event.data_table.id == "flips":
            await self._beside(wanted)
        else:
            await self.host.read(wanted)

    async def _beside(self, wanted: TrialFilter) -> None:
        rows = await self.session.ask(lambda store: find_trials(store, wanted))
        lines = await self.session.ask(lambda store: list_trials(store, rows[:1], ""))
        if lines:
            await self.host.beside(lines[0].key)

    @work
    async def action_table(self) -> None:
        """Choose another table."""
        if not self._summary or not self._summary.tables:
            return
        options = [(str(i), one_line(title(t))) for i, t in enumerate(self._summary.tables)]
        chosen = await self.app.push_screen_wait(Choose("Which table?", options, str(self._at)))
        if chosen is not None:
            self._at = int(chosen)
            self._draw()

    @work
    async def action_policy(self) -> None:
        """Choose what the convergence rate leaves out."""
        options = [
            ("paper", "paper: nonsensical answers are left out"),
            ("all", "all: nothing is left out"),
            ("engaged", "engaged: refusals are left out, too"),
        ]
        chosen = await self.app.push_screen_wait(
            Choose("What does the convergence rate leave out?", options, self._policy)
        )
        if chosen is not None:
            self._policy = Policy(chosen)
            self._count()


def _compare(store: Store, experiment: str) -> Concord | None:
    """Return how far the judges agree, None where fewer than two have read anything."""
    return compare(store, experiment) if len(store.readers(experiment)) > 1 else None
