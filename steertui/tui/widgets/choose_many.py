"""Dialog to choose several values: a list with tick boxes, and a line for values not listed."""

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from steertui.printable import one_line
from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.moves import MoveList

TICKED = "[x] "
NOT_TICKED = "[ ] "


class ChooseMany(ModalScreen[list[str] | None]):
    """Dialog to choose several values; its result has the list's order, None if cancelled."""

    BINDINGS = [  # noqa: RUF012 (Textual's own name and type)
        Binding("space", "tick", "Tick", id="pick.tick", tooltip="Tick or untick the value"),
        Binding("enter", "take", "OK", priority=True, id="pick.take", tooltip="Ticked values"),
        Binding("escape", "leave", "Cancel", id="pick.leave", tooltip="Change nothing"),
    ]

    def __init__(
        self,
        question: str,
        options: Sequence[tuple[str, str]],
        current: Sequence[str],
        hint: str = "",
    ) -> None:
        """Ask a question about `options`, pairs of a value and its text.

        `current` are the values ticked at first. If there is a `hint` on what can be typed, other
        values can be typed, too.
        """
        super().__init__()
        known = [value for value, _ in options]
        others = [(value, value) for value in current if value not in known]
        self._question = question
        self._hint = hint
        self._options = [*options, *others]
        self._ticked = set(current)

    def compose(self) -> ComposeResult:
        """Yield the question, the list, the input line and the keys."""
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield MoveList()
            if self._hint:
                yield Input(placeholder=self._hint)
            keys = "space  tick      enter  OK      escape  cancel"
            yield Static(keys + ("      tab  type" if self._hint else ""), classes="keys")
        yield Footer()

    def on_mount(self) -> None:
        """Focus the list, with the cursor on the first ticked value."""
        ticks = self.query_one(OptionList)
        for value, _ in self._options:
            ticks.add_option(Option(self._option_text(value)))
        values = [value for value, _ in self._options]
        ticks.highlighted = next((i for i, v in enumerate(values) if v in self._ticked), 0)
        ticks.focus()

    def _option_text(self, value: str) -> Text:
        shown = one_line(dict(self._options)[value])
        if value not in self._ticked:
            return Text(NOT_TICKED + shown)
        style = f"bold {palette(self.app.current_theme.dark).blue}"
        return Text().append(TICKED, style).append(shown)

    def action_tick(self) -> None:
        """Tick or untick the value under the cursor."""
        ticks = self.query_one(OptionList)
        if ticks.highlighted is not None:
            value = self._options[ticks.highlighted][0]
            self._ticked ^= {value}
            ticks.replace_option_prompt_at_index(ticks.highlighted, self._option_text(value))

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_tick()

    def action_take(self) -> None:
        """Close with the ticked and the typed values."""
        chosen = [value for value, _ in self._options if value in self._ticked]
        if self._hint:
            typed = [name.strip() for name in self.query_one(Input).value.split(",")]
            chosen += [name for name in dict.fromkeys(typed) if name and name not in chosen]
        self.dismiss(chosen)

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
