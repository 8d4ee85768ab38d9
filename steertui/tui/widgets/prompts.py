"""Short questions over a screen: yes or no, a number, a line of text."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.validation import Integer
from textual.widgets import Footer, Input, Static


class Confirm(ModalScreen[bool]):
    """Asks before what cannot be taken back; `verb` is what Enter does."""

    BINDINGS = [  # noqa: RUF012
        Binding("enter", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("escape", "answer(False)", "No", id="confirm.no", tooltip="Leave it"),
    ]

    def __init__(self, question: str, verb: str) -> None:
        super().__init__()
        self._question, self._verb = question, verb

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question"):
            with VerticalScroll(classes="asked"):
                yield Static(self._question, markup=False)
            yield Static(f"enter  {self._verb.lower()}      escape  leave it", classes="keys")
        yield Footer()

    def action_answer(self, yes: bool) -> None:
        """Give the answer."""
        self.dismiss(yes)


class TextPrompt(ModalScreen[str | None]):
    """Asks for a line of text; None where the user leaves."""

    BINDINGS = [  # noqa: RUF012
        Binding("escape", "leave", "Leave", id="ask.leave", tooltip="Change nothing"),
    ]

    def __init__(self, question: str, value: str = "", *, hint: str = "") -> None:
        super().__init__()
        self._question, self._value, self._hint = question, value, hint

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield self._input()
            yield Static("enter  take it      escape  leave it", classes="keys")
        yield Footer()

    def _input(self) -> Input:
        return Input(self._value, placeholder=self._hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer."""
        if event.validation_result is None or event.validation_result.is_valid:
            self.dismiss(event.value)

    def action_leave(self) -> None:
        """Leave without one."""
        self.dismiss(None)


class NumberPrompt(ModalScreen[int | None]):
    """Asks for a whole number between two limits; None where the user leaves."""

    BINDINGS = TextPrompt.BINDINGS

    def __init__(self, question: str, value: int, low: int, high: int) -> None:
        super().__init__()
        self._question, self._value, self._limits = question, value, (low, high)

    def compose(self) -> ComposeResult:
        """Lay out."""
        low, high = self._limits
        told = f"A whole number from {low} to {high:,}, please"
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield Input(str(self._value), type="integer", validators=[Integer(low, high, told)])
            yield Static(
                f"{low} to {high:,}      enter  take it      escape  leave it", classes="keys"
            )
        yield Footer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the number, if it is one."""
        if event.validation_result and event.validation_result.is_valid:
            self.dismiss(int(event.value))

    def action_leave(self) -> None:
        """Leave without one."""
        self.dismiss(None)
