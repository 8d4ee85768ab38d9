"""Several of many: a list to tick, and a line for names that are not in it."""

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.sanitize import one_line

TICKED, OPEN = "[x] ", "[ ] "


class ChooseMany(ModalScreen[list[str] | None]):
    """Asks for some of several values, in the list's order; None where the user leaves."""

    BINDINGS = [  # noqa: RUF012
        Binding("space", "tick", "Tick", id="pick.tick", tooltip="Or take the tick away"),
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
        self._options, self._ticked = [*options, *others], set(now)

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question"):
            yield Static(self._question, markup=False)
            yield OptionList()
            if self._hint:
                yield Input(placeholder=self._hint)
            keys = "space  tick      enter  take what is ticked      escape  leave it"
            yield Static(keys + ("      tab  type" if self._hint else ""), classes="keys")
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the list, on what is ticked."""
        ticks = self.query_one(OptionList)
        for value, _ in self._options:
            ticks.add_option(Option(self._drawn(value)))
        values = [value for value, _ in self._options]
        ticks.highlighted = next((i for i, v in enumerate(values) if v in self._ticked), 0)
        ticks.focus()

    def _drawn(self, value: str) -> Text:
        shown = one_line(dict(self._options)[value])
        if value not in self._ticked:
            return Text(OPEN + shown)
        return (
            Text().append(TICKED, f"bold {palette(self.app.current_theme.dark).blue}").append(shown)
        )

    def action_tick(self) -> None:
        """Tick what is under the cursor, or take its tick away."""
        ticks = self.query_one(OptionList)
        if ticks.highlighted is not None:
            value = self._options[ticks.highlighted][0]
            self._ticked ^= {value}
            ticks.replace_option_prompt_at_index(ticks.highlighted, self._drawn(value))

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_tick()

    def action_take(self) -> None:
        """Give what is ticked, and what was typed."""
        chosen = [value for value, _ in self._options if value in self._ticked]
        if self._hint:
            typed = self.query_one(Input).value
            chosen += [n for name in typed.split(",") if (n := name.strip()) and n not in chosen]
        self.dismiss(chosen)

    def action_leave(self) -> None:
        """Leave without."""
        self.dismiss(None)
