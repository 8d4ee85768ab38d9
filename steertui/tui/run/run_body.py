"""The RunBody: matrix and slots beside rates and text; on a narrow terminal one below another."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.geometry import Size

from steertui.analysis.summary import STAND_IN_WARNING, Summary
from steertui.tui.results.rates import draw_rates
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel, SlotsPanel
from steertui.tui.run.run_state import RunState
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent, set_titles
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.sanitize import one_line

RATES = "rates so far, in percent with 95 % intervals"

VIEWS = ("-rates", "-focus", "-slots")
"""What a narrow terminal shows below the matrix, in turn."""


class RunBody(Horizontal):
    """The four panels of the Run screen."""

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(id="run-left"):
            yield Matrix(id="matrix")
            yield SlotsPanel(id="slots")
        with Vertical(id="run-right"):
            with VerticalScroll(id="rates-box"):
                yield ReflowingText(id="rates")
            yield FocusPanel(id="focus")

    def on_mount(self) -> None:
        """Name the panels."""
        set_titles(self.query_one("#matrix"), "scenario × condition")
        set_titles(self.query_one("#rates-box"), RATES)

    def show_rates(self, summary: Summary | None, empty: str, colours: Palette) -> None:
        """Draw the rates, or the sentence `empty`."""

        def draw(room: Size) -> Text:
            if not summary or not summary.tables:
                return Text(empty, colours.quiet)
            text = draw_rates(summary, room.width, colours)
            for notice in summary.notices:
                lead = Text("! ", f"bold {colours.warning}")
                text.append("\n\n").append_text(hanging_indent(lead, Text(notice), room.width))
            return text

        self.query_one("#rates", ReflowingText).draw_with(draw)
        is_demo = summary and STAND_IN_WARNING in summary.notices
        told = Text("! the demo: says nothing about real models", colours.warning)
        set_titles(self.query_one("#rates-box"), RATES, told if is_demo else "")

    def show_slots(self, run: RunState, colours: Palette, *, follow: bool) -> None:
        """Draw the slots, and the text of one: followed, or under the matrix's cursor."""
        panel = self.query_one(SlotsPanel)
        set_titles(panel, "answers being written", one_line(run.shape))
        self.set_class(not run.stages, "-idle")
        if not run.slots:
            panel.rest("All are written; the judge reads them." if run.queues else "", colours)
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
