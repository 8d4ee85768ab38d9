"""Dialog with several input lines, which are checked together while it is open."""

from collections.abc import Callable
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import Suggester, SuggestFromList
from textual.widgets import Footer, Input, Label, Static

from steertui.tui.widgets.dialog_box import DialogBox
from steertui.tui.widgets.form import NO_VALUES, Form, FormLine, Values
from steertui.tui.widgets.key_line import COMPLETE, LEAVE, OK, KeyLine
from steertui.tui.widgets.path_suggester import PathSuggester
from steertui.tui.widgets.prompts import CANCEL
from steertui.tui.widgets.screen_words import Problem
from steertui.tui.widgets.text_line import TextLine

CHECKING = "checking …"

Begin = Callable[["FormDialog", Values], None]
"""Function that begins the work for values; the work calls `accept` or `refuse` of the dialog."""


@dataclass
class Checked(Message):
    """The form has checked values; `problem` is what is wrong with them, "" for nothing."""

    values: Values
    problem: str


class FormDialog(ModalScreen[Values | None]):
    """Dialog that asks for several values; its result is None if cancelled.

    Enter checks the values in a thread. The dialog stays open until they are accepted, so that
    refused ones can be corrected.
    """

    BINDINGS = [CANCEL]  # noqa: RUF012 (Textual's own name and type)

    def __init__(
        self,
        form: Form,
        values: Values = NO_VALUES,
        problem: str = "",
        begin: Begin | None = None,
    ) -> None:
        """Ask for the lines of a form.

        `values` are shown in place of the lines' own at first, `problem` is what was wrong with
        them. With `begin`, the work for the values accepts or refuses what the form finds right.
        """
        super().__init__()
        self._form = form
        self._values = values
        self._first_problem = problem
        self._begin = begin
        self._accepted: Values | None = None
        self._is_checking = False

    @property
    def is_checking(self) -> bool:
        """Whether the values are checked now."""
        return self._is_checking

    def compose(self) -> ComposeResult:
        """Yield the question, one input per line, its hint, what is wrong, and the keys."""
        lines = self._form.lines
        with DialogBox("form"):
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
            yield KeyLine(OK, ("tab", "next line"), LEAVE, *([COMPLETE] if is_completed else []))
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
        """Check the values, unless they are checked now."""
        if self._is_checking:
            return
        self._is_checking = True
        self.query_one(Problem).update(CHECKING)
        values = {
            line.name: self.query_one(f"#form-{line.name}", Input).value.strip()
            for line in self._form.lines
        }
        self._check(values)

    @work(thread=True, group="check")
    def _check(self, values: Values) -> None:
        self.post_message(Checked(values, self._form.problem(values)))

    @on(Checked)
    def _checked(self, checked: Checked) -> None:
        """Say what is wrong with the values, begin the work for them, or close with them."""
        if not self._is_checking:  # cancelled
            return
        if checked.problem:
            self.refuse(checked.problem)
        elif self._begin:
            self._begin(self, checked.values)
        else:
            self.accept(checked.values)

    def refuse(self, problem: str) -> None:
        """Say what is wrong with the values, which can be corrected."""
        self._is_checking = False
        for line in self.query(Problem):  # none if the dialog is closed
            line.show(problem)

    def accept(self, values: Values) -> None:
        """Close with the values, as soon as no other dialog is in front."""
        self._accepted = values
        if self.is_current:
            self.dismiss(values)

    def on_screen_resume(self) -> None:
        """Close if the values were accepted behind another dialog."""
        if self._accepted is not None:
            self.dismiss(self._accepted)

    def action_leave(self) -> None:
        """Close without a result, also during a check."""
        self._is_checking = False
        self.dismiss(None)


def _suggester(line: FormLine) -> Suggester | None:
    """Return what completes the text of a line; None for nothing."""
    if line.is_path:
        return PathSuggester()
    return SuggestFromList(line.choices) if line.choices else None
