"""A choice among a few: a list over the screen, narrowed by its first letters."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

OptionRow = tuple[str, str | Text]
"""A value and how it is shown."""


class ChooseOne(ModalScreen[str | None]):
    """Asks for one of several values; None where the user leaves."""

    BINDINGS = [  # noqa: RUF012
        Binding("escape", "leave", "Leave", id="choose.leave", tooltip="Change nothing"),
    ]

    def __init__(self, question: str, choices: Sequence[OptionRow], now: str = "") -> None:
        super().__init__()
        self._question, self._choices, self._now = question, choices, now

    def compose(self) -> ComposeResult:
        """Lay out."""
        options = [
            Option(Text(shown) if isinstance(shown, str) else shown, id=f"at-{place}")
            for place, (_, shown) in enumerate(self._choices)
        ]
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield OptionList(*options)
            yield Static("enter  take it      escape  leave it", classes="keys")
        yield Footer()

    def on_mount(self) -> None:
        """Stand on what is chosen now."""
        values = [value for value, _ in self._choices]
        self.query_one(OptionList).highlighted = (
            values.index(self._now) if self._now in values else 0
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the value."""
        self.dismiss(self._choices[event.option_index][0])

    def action_leave(self) -> None:
        """Leave without one."""
        self.dismiss(None)
