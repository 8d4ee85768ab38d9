"""Body of the Run screen: matrix and slots beside rates and text, or below in a narrow terminal."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size

from steertui.analysis.summary import Summary
from steertui.printable import one_line
from steertui.tui.results.rates import draw_rates
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel, SlotsPanel
from steertui.tui.run.run_state import RunState
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent, set_titles
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.reflowing_text import ReflowingText

RATES = "rates so far, in percent with 95 % intervals"

VIEWS = ("-rates", "-focus", "-slots")
"""Classes of the panel that a narrow terminal shows below the matrix; the key v cycles."""


class RunBody(Horizontal):
    """The four panels of the Run screen."""

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(id="run-left"):
            yield Matrix(id="matrix")
            yield SlotsPanel(id="slots")
        with Vertical(id="run-right"):
            with MoveScroll(id="rates-box"):
                yield ReflowingText(id="rates")
            yield FocusPanel(id="focus")

    def on_mount(self) -> None:
        """Set the panels' titles."""
        set_titles(self.query_one("#matrix"), "scenario × condition")
        set_titles(self.query_one("#rates-box"), RATES)

    def show_rates(self, summary: Summary | None, empty: str, colours: Palette) -> None:
        """Show the rates, or the sentence `empty` if there are none.

        The frame names the demo if any of the rates are its own, since the notices below them may
        be out of sight.
        """

        def draw(room: Size) -> Text:
            if not summary or not summary.tables:
                return Text(empty, colours.quiet)
            text = draw_rates(summary, room.width, colours)
            for notice in summary.notices:
                lead = Text("! ", f"bold {colours.warning}")
                text.append("\n\n").append_text(hanging_indent(lead, Text(notice), room.width))
            return text

        self.query_one("#rates", ReflowingText).draw_with(draw)
        is_demo = summary and any(table.is_stand_in for table in summary.tables)
        warning = Text("! demo: not evidence about real models", colours.warning)
        set_titles(self.query_one("#rates-box"), RATES, warning if is_demo else "")

    def show_slots(self, run: RunState, colours: Palette, *, follow: bool) -> None:
        """Show the slots and the text of one of them.

        With `follow` it is the slot that is shown already or the first one, otherwise the slot of
        the trial under the matrix's cursor.
        """
        panel = self.query_one(SlotsPanel)
        set_titles(panel, "answers in progress", one_line(run.shape))
        self.set_class(not run.stages, "-idle")
        if not run.slots:
            note = "All answers are generated; judging is in progress." if run.queues else ""
            panel.show_note(note, colours)
            return
        focus = self.query_one(FocusPanel)
        key = run.slots[0].id if follow else self.query_one(Matrix).selected_key()
        if follow and focus.live in {slot.id for slot in run.slots}:
            key = focus.live
        panel.show(run.slots, run.places, key, colours)
        slot = next((s for s in run.slots if s.id == key), None)
        if slot and slot.id in run.places:
            focus.show_slot(run.places[key], slot)

    def show_next_view(self) -> None:
        """Show the next panel below the matrix of a narrow terminal."""
        current = next(view for view in VIEWS if self.has_class(view))
        self.remove_class(current)
        self.add_class(VIEWS[(VIEWS.index(current) + 1) % len(VIEWS)])
