"""The RunBody: matrix and slots beside rates and text; on a narrow terminal one below another."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from steertui.report.summary import Summary
from steertui.tui.labels import Palette
from steertui.tui.matrix import Matrix
from steertui.tui.panels import FocusPanel, SlotsPanel
from steertui.tui.rates import draw_rates
from steertui.tui.run_state import RunState

VIEWS = ("-rates", "-focus", "-slots")
"""What a narrow terminal shows below the matrix, in turn."""


class RunBody(Horizontal):
    """The four panels of the Run screen."""

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(id="run-left"):
            yield Matrix(id="matrix")
            yield SlotsPanel(id="slots", markup=False)
        with Vertical(id="run-right"):
            with VerticalScroll(id="rates-box"):
                yield Static(id="rates", markup=False)
            yield FocusPanel(id="focus")

    def on_mount(self) -> None:
        """Name the panels."""
        self.query_one("#matrix").border_title = "scenario × condition"
        self.query_one("#rates-box").border_title = "rates so far, in percent with 95 % intervals"

    def show_rates(self, summary: Summary | None, empty: str, colours: Palette) -> None:
        """Draw the rates, or the sentence `empty`."""
        width = max(40, self.query_one("#rates-box").size.width - 4)
        text = Text(empty, colours.quiet)
        if summary and summary.tables:
            text = draw_rates(summary, width, colours)
        self.query_one("#rates", Static).update(text)

    def show_slots(self, run: RunState, colours: Palette, *, follow: bool) -> None:
        """Draw the slots, and the text of one: followed, or under the matrix's cursor."""
        panel = self.query_one(SlotsPanel)
        panel.border_title = SlotsPanel.title(run.room, run.speeds)
        self.set_class(not run.stages, "-idle")
        if not run.slots:
            panel.rest("Nothing is being written." if run.places else "", colours)
            return
        focus = self.query_one(FocusPanel)
        key = run.slots[0].id if follow else self.query_one(Matrix).chosen()
        if follow and focus.live in {slot.id for slot in run.slots}:
            key = focus.live
        panel.show(run.slots, run.places, key, colours)
        slot = next((s for s in run.slots if s.id == key), None)
        if slot and slot.id in run.places:
            focus.write(run.places[key], slot)

    def turn(self) -> None:
        """Show the next panel, where there is room for one."""
        now = next(view for view in VIEWS if self.has_class(view))
        self.remove_class(now)
        self.add_class(VIEWS[(VIEWS.index(now) + 1) % len(VIEWS)])
