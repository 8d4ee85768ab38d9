"""Dialogs for a confirmation, a line of text, or a number."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.validation import Integer
from textual.widgets import Footer, Input, Static

from steertui.tui.widgets.dialog_box import DialogBox
from steertui.tui.widgets.key_line import COMPLETE, LEAVE, OK, KeyLine
from steertui.tui.widgets.moves import MoveScroll
from steertui.tui.widgets.path_suggester import PathSuggester
from steertui.tui.widgets.screen_words import Problem
from steertui.tui.widgets.text_line import TextLine

CANCEL = Binding("escape", "leave", "Cancel", id="ask.leave", tooltip="Change nothing")

EMPTY = "the line is empty; type a value, or press escape to cancel"


class Confirm(ModalScreen[bool]):
    """Dialog that asks for confirmation."""

    BINDINGS = [  # noqa: RUF012 (Textual's own name and type)
        Binding("enter", "answer(True)", "OK", id="confirm.yes", tooltip="Do it"),
        Binding("escape", "answer(False)", "Cancel", id="confirm.no", tooltip="Change nothing"),
    ]

    def __init__(self, question: str, verb: str) -> None:
        """Ask a question; `verb` says what Enter does."""
        super().__init__()
        self._question = question
        self._verb = verb

    def compose(self) -> ComposeResult:
        """Yield the question and the keys."""
        with DialogBox():
            with MoveScroll(classes="asked"):
                yield Static(self._question, markup=False)
            yield KeyLine(("enter", self._verb.lower()), LEAVE)
        yield Footer()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class TextPrompt(ModalScreen[str | None]):
    """Dialog for a line of text; its result is the stripped text, None if cancelled."""

    BINDINGS = [CANCEL]  # noqa: RUF012 (Textual's own name and type)

    def __init__(
        self,
        question: str,
        value: str = "",
        *,
        hint: str = "",
        check: Callable[[str], str] = lambda _: "",
        is_path: bool = False,
        is_required: bool = True,
        problem: str = "",
    ) -> None:
        """Ask for a line; `check` returns what is wrong with it, or "" to accept it.

        With `is_path` the paths of files and folders are completed. An empty line is accepted only
        without `is_required`. `problem` is what was wrong with `value`.
        """
        super().__init__()
        self._question = question
        self._check = check
        self._is_required = is_required
        self._value = value
        self._hint = hint
        self._first_problem = problem
        self._suggester = PathSuggester() if is_path else None

    def compose(self) -> ComposeResult:
        """Yield the question, the input line and the keys."""
        with DialogBox():
            yield Static(self._question, markup=False)
            yield TextLine(self._value, placeholder=self._hint, suggester=self._suggester)
            yield Problem()
            yield KeyLine(OK, LEAVE, *([COMPLETE] if self._suggester else []))
        yield Footer()

    def on_mount(self) -> None:
        """Show what was wrong."""
        self.query_one(Problem).show(self._first_problem)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text, or say what is wrong with it."""
        text = event.value.strip()
        problem = EMPTY if self._is_required and not text else self._check(text)
        if problem:
            self.query_one(Problem).show(problem)
        else:
            self.dismiss(text)

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)


class NumberPrompt(ModalScreen[int | None]):
    """Dialog for an integer between two limits; its result is None if cancelled."""

    BINDINGS = [CANCEL]  # noqa: RUF012 (Textual's own name and type)

    def __init__(self, question: str, value: int, low: int, high: int) -> None:
        super().__init__()
        self._question = question
        self._value = value
        self._low = low
        self._high = high

    def compose(self) -> ComposeResult:
        """Yield the question, the input line, the limits and the keys."""
        limits = f"{self._low} to {self._high:,}"
        validator = Integer(self._low, self._high, f"Give an integer from {limits}")
        with DialogBox():
            yield Static(self._question, markup=False)
            yield Input(str(self._value), type="integer", validators=[validator])
            yield Problem()
            yield KeyLine(OK, LEAVE, before=limits)
        yield Footer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the number, or say what is wrong with it."""
        result = event.validation_result
        if result and not result.is_valid:
            problem = " ".join(result.failure_descriptions)
            self.query_one(Problem).show(problem)
        else:
            self.dismiss(int(event.value))

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
