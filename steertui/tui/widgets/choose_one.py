"""Dialog to choose one value from a list."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from steertui.tui.widgets.dialog_box import DialogBox
from steertui.tui.widgets.key_line import LEAVE, OK, KeyLine
from steertui.tui.widgets.moves import MoveList

OptionRow = tuple[str, str | Text]
"""A value and its text."""


class ChooseOne(ModalScreen[str | None]):
    """Dialog to choose one of several values; its result is None if cancelled."""

    BINDINGS = [  # noqa: RUF012 (Textual's own name and type)
        Binding("escape", "leave", "Cancel", id="choose.leave", tooltip="Change nothing"),
    ]

    def __init__(self, question: str, choices: Sequence[OptionRow], current: str = "") -> None:
        super().__init__()
        self._question = question
        self._choices = choices
        self._current = current

    def compose(self) -> ComposeResult:
        """Yield the question, the list and the keys."""
        options = [
            Option(Text(shown) if isinstance(shown, str) else shown, id=f"at-{index}")
            for index, (_, shown) in enumerate(self._choices)
        ]
        with DialogBox():
            yield Static(self._question, markup=False)
            yield MoveList(*options)
            yield KeyLine(OK, LEAVE)
        yield Footer()

    def on_mount(self) -> None:
        """Put the cursor on the current value."""
        values = [value for value, _ in self._choices]
        index = values.index(self._current) if self._current in values else 0
        self.query_one(OptionList).highlighted = index

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the selected value."""
        self.dismiss(self._choices[event.option_index][0])

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
