"""Report screen: the whole report of the open experiment, as `steertui report` prints it."""

from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from steertui.analysis.summary import summarise_experiment
from steertui.paper.comparison import compare_with_paper
from steertui.report import terminal
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.tui.widgets.layout import set_titles
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.page import Page

HELP = """
The whole report: overview, models by size or training stage, rates, comparisons, sensitivity,
judges, dose axes, contests, comparison with the paper, warnings and limits. **d** shows the
detailed report, which adds the sentence of each comparison, all warnings, counts, categories, and
comparisons of models and judges. The command `steertui report` prints the same.
"""


REPORTING = "Reporting …"

REPORTING_AGAIN = f"{REPORTING} this is the former report"

DETAIL_KEY = "press d"
"""How this screen shows the detailed report."""


class ReportScreen(Page):
    """Text of the report over the screen Results."""

    NAME = "report"
    HEADING = "Report"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", id="report.detail", tooltip="The short report, or all"),
        Binding("escape", "leave", "Back", id="report.back", tooltip="Leave"),
    ]

    def __init__(self, policy: Policy) -> None:
        """Show the report under a policy, which is that of Results."""
        super().__init__()
        self._policy = policy
        self._has_detail = False
        self._parts: dict[bool, Group] = {}

    def body(self) -> ComposeResult:
        """Yield the text."""
        with MoveScroll(id="report-box", classes="panel"):
            yield Static(id="report-text", markup=False)

    def on_mount(self) -> None:
        """Focus the text."""
        self.query_one(MoveScroll).focus()

    def reload(self) -> None:
        """Write the report; one that is shown stays until the next one is written."""
        self._report()

    @work(exclusive=True, group="report", exit_on_error=False)
    async def _report(self) -> None:
        experiment, policy = self.session.id, self._policy
        box = self.query_one("#report-box")
        if self._parts:
            set_titles(box, "", REPORTING_AGAIN)
        else:
            text = Text(REPORTING, self.colours.quiet)
            self.query_one("#report-text", Static).update(text)
        self._parts = await self.session.with_store(lambda s: _reports(s, experiment, policy))
        set_titles(box, "", "")
        self._draw()

    def _draw(self) -> None:
        self.query_one("#report-text", Static).update(self._parts[self._has_detail])

    def action_detail(self) -> None:
        """Switch between the short report and the whole one."""
        self._has_detail = not self._has_detail
        if self._parts:
            self._draw()
            self.query_one(MoveScroll).scroll_home(animate=False)

    def action_leave(self) -> None:
        """Return to Results."""
        self.dismiss()


def _reports(store: Store, experiment: str, policy: Policy) -> dict[bool, Group]:
    """Return the short report and the one with all details."""
    summary = summarise_experiment(store, experiment, policy)
    paper = compare_with_paper(store, summary)
    return {
        detail: Group(*terminal.draw(summary, detail=detail, paper=paper, detail_key=DETAIL_KEY))
        for detail in (False, True)
    }
