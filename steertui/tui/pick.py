"""Several of many: a list to tick, and a line for names that are not in it."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, SelectionList, Static

from steertui.tui.plain import one_line


class Pick(ModalScreen[list[str] | None]):
    """Asks for some of several values, in the list's order; None where the user leaves."""

    BINDINGS = [  # noqa: RUF012
        Binding("enter", "take", "Take", priority=True, id="pick.take", tooltip="What is ticked"),
        Binding("escape", "leave", "Leave", id="pick.leave", tooltip="Change nothing"),
    ]

    def __init__(
        self, question: str, options: Sequence[tuple[str, str]], now: Sequence[str], hint: str = ""
    ) -> None:
        super().__init__()
        known = [value for value, _ in options]
        others = [(value, value) for value in now if value not in known]
        self._question, self._hint = question, hint
        self._options, self._now = [*options, *others], now

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield SelectionList[str](
                *((one_line(shown), value, value in self._now) for value, shown in self._options)
            )
            if self._hint:
                yield Input(placeholder=self._hint)
            yield Static("space  tick      enter  take it      escape  leave it", classes="keys")
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the list."""
        self.query_one(SelectionList).focus()

    def action_take(self) -> None:
        """Give what is ticked, and what was typed."""
        ticked = set(self.query_one(SelectionList).selected)
        chosen = [value for value, _ in self._options if value in ticked]
        if self._hint:
            typed = self.query_one(Input).value
            chosen += [n for name in typed.split(",") if (n := name.strip()) and n not in chosen]
        self.dismiss(chosen)

    def action_leave(self) -> None:
        """Leave without."""
        self.dismiss(None)
