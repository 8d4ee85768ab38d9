"""Dialog with several input lines, which are checked together."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.screen import ModalScreen
from textual.suggester import Suggester, SuggestFromList
from textual.widgets import Footer, Input, Label, Static

from steertui.tui.widgets.form import NO_VALUES, Form, FormLine, Values
from steertui.tui.widgets.path_suggester import KEYS as COMPLETE_KEYS
from steertui.tui.widgets.path_suggester import PathSuggester
from steertui.tui.widgets.prompts import CANCEL
from steertui.tui.widgets.screen_words import Problem
from steertui.tui.widgets.text_line import TextLine

KEYS = "enter  OK      tab  next line      escape  cancel"


class FormDialog(ModalScreen[Values | None]):
    """Dialog that asks for several values; its result is None if cancelled."""

    BINDINGS = [CANCEL]  # noqa: RUF012 (Textual's own name and type)

    def __init__(self, form: Form, values: Values = NO_VALUES, problem: str = "") -> None:
        """Ask for the lines of a form.

        `values` are shown in place of the lines' own at first, `problem` is what was wrong with
        them.
        """
        super().__init__()
        self._form = form
        self._values = values
        self._first_problem = problem

    def compose(self) -> ComposeResult:
        """Yield the question, one input per line, its hint, what is wrong, and the keys."""
        lines = self._form.lines
        with Vertical(classes="question form"):
            yield Static(self._form.question, markup=False)
            with VerticalScroll(can_focus=False):
                for line in lines:
                    with Horizontal(classes="form-line"):
                        yield Label(line.title, markup=False)
                        yield TextLine(
                            self._values.get(line.name, line.value),
                            placeholder=line.help,
                            id=f"form-{line.name}",
                            compact=True,
                            suggester=_suggester(line),
                        )
            yield Static(id="form-hint", markup=False)
            yield Problem()
            is_completed = any(line.is_path or line.choices for line in lines)
            yield Static(f"{KEYS}      {COMPLETE_KEYS}" if is_completed else KEYS, classes="keys")
        yield Footer()

    def on_mount(self) -> None:
        """Show what was wrong."""
        self.query_one(Problem).show(self._first_problem)

    @on(DescendantFocus)
    def _show_hint(self) -> None:
        """Show the accepted values and the hint of the line that has the focus."""
        focused = self.focused and self.focused.id
        line = next((each for each in self._form.lines if f"form-{each.name}" == focused), None)
        hint = f"{line.title}: {line.help}" if line and line.help else ""
        self.query_one("#form-hint", Static).update(hint)

    def on_input_submitted(self) -> None:
        """Close with the values if nothing is wrong with them."""
        values = {
            line.name: self.query_one(f"#form-{line.name}", Input).value.strip()
            for line in self._form.lines
        }
        problem = self._form.problem(values)
        if problem:
            self.query_one(Problem).show(problem)
        else:
            self.dismiss(values)

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)


def _suggester(line: FormLine) -> Suggester | None:
    """Return what completes the text of a line; None for nothing."""
    if line.is_path:
        return PathSuggester()
    return SuggestFromList(line.choices) if line.choices else None
