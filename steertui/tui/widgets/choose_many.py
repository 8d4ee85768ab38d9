"""Dialog to choose several values: a list with tick boxes, and a line for values not listed."""

from collections.abc import Callable, Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import DescendantFocus
from textual.message import Message
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from steertui.printable import one_line
from steertui.tui.widgets.dialog_box import DialogBox
from steertui.tui.widgets.key_line import COMPLETE, LEAVE, OK, KeyLine
from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.line_dialog import LineDialog
from steertui.tui.widgets.moves import MoveList
from steertui.tui.widgets.path_suggester import PathSuggester
from steertui.tui.widgets.text_line import NamesLine
from steertui.typed_lists import join_names, split_names

TICKED = "[x] "
NOT_TICKED = "[ ] "

COMMA = 'a comma separates values; write one that has a comma as "a, b.gguf"'


class TickList(MoveList):
    """List whose lines are ticked by Space or a click; Enter ticks, or takes the ticked values."""

    BINDINGS = [  # noqa: RUF012 (Textual's own name and type)
        Binding("space", "select", "Tick", id="pick.tick", tooltip="Tick or untick the value"),
        Binding("enter", "tick", "Tick", id="pick.first", tooltip="Tick the first value"),
        Binding("enter", "take", "OK", id="pick.take", tooltip="Take the ticked values"),
    ]

    def __init__(self, enter_ticks: Callable[[], bool]) -> None:
        """Make an empty list; `enter_ticks` returns whether Enter ticks the value."""
        super().__init__()
        self._enter_ticks = enter_ticks

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let Enter do one of two things."""
        if action in ("tick", "take"):
            return self._enter_ticks() is (action == "tick")
        return super().check_action(action, parameters)

    def action_tick(self) -> None:
        """Tick the value under the cursor."""
        self.action_select()

    class Taken(Message):
        """Enter was pressed."""

    def action_take(self) -> None:
        """Post `Taken`."""
        self.post_message(self.Taken())


class ChooseMany(LineDialog[list[str] | None]):
    """Dialog to choose several values; its result has the list's order, None if cancelled.

    Enter on a value that is not ticked ticks it first, unless a value was ticked or typed before;
    the keys say which.
    """

    SEPARATOR = ", "
    BINDINGS = [  # noqa: RUF012 (Textual's own name and type)
        Binding("escape", "leave", "Cancel", id="pick.leave", tooltip="Change nothing"),
        Binding(
            "tab",
            "app.focus_next",
            "Type",
            id="pick.type",
            show=False,
            priority=True,  # before the list's keys: text typed at once after it is for the input
        ),
    ]

    def __init__(
        self,
        question: str,
        options: Sequence[tuple[str, str]],
        current: Sequence[str],
        hint: str = "",
        *,
        alone: str = "",
    ) -> None:
        """Ask a question about `options`, pairs of a value and its text.

        A tick at the value `alone` removes the other ticks, and another tick removes that one.

        `current` are the values ticked at first. If there is a `hint` on what can be typed, other
        values can be typed, too; those of `current` are in the input line, where they are edited.
        """
        super().__init__()
        known = [value for value, _ in options]
        others = [value for value in current if value not in known]
        self._question = question
        self._hint = hint
        self._options = list(options) if hint else [*options, *((v, v) for v in others)]
        self._typed = join_names(others)
        self._ticked = set(current)
        self._was_ticked = False
        self._alone = alone

    def compose(self) -> ComposeResult:
        """Yield the question, the list, the input line and the keys."""
        with DialogBox():
            yield Static(self._question, markup=False)
            yield TickList(self._enter_ticks)
            if self._hint:
                yield NamesLine(self._typed, placeholder=self._hint, suggester=PathSuggester())
            yield Static(id="taken", markup=False)
            yield KeyLine(*self._keys(OK))
        yield Footer()

    def on_mount(self) -> None:
        """Focus the list, with the cursor on the first ticked value."""
        ticks = self.query_one(TickList)
        for value, _ in self._options:
            ticks.add_option(Option(self._option_text(value)))
        values = [value for value, _ in self._options]
        ticks.highlighted = next((i for i, v in enumerate(values) if v in self._ticked), 0)
        self.set_focus(ticks)  # at once: `ticks.focus` acts after keys that are already pressed
        self._show_chosen()

    def _option_text(self, value: str) -> Text:
        shown = one_line(dict(self._options)[value])
        if value not in self._ticked:
            return Text(NOT_TICKED + shown)
        style = f"bold {palette(self.app.current_theme.dark).blue}"
        return Text().append(TICKED, style).append(shown)

    def _show_chosen(self) -> None:
        """Show the values that Enter takes."""
        chosen = self._chosen()
        names = join_names(map(one_line, chosen)) or "none"
        is_list = self._hint and "," in self.query_one(Input).value
        advice = f"\n{COMMA}" if is_list else ""
        self.query_one("#taken", Static).update(f"chosen: {names}{advice}")
        self._show_keys()

    def _keys(self, enter: tuple[str, str]) -> list[tuple[str, str]]:
        typing = [("tab", "type"), COMPLETE] if self._hint else []
        return [("space", "tick"), enter, LEAVE, *typing]

    @on(OptionList.OptionHighlighted)
    @on(DescendantFocus)
    def _show_keys(self) -> None:
        """Show what Enter does now."""
        ticks = self.focused is self.query_one(TickList) and self._enter_ticks()
        self.query_one(KeyLine).show(*self._keys(("enter", "tick") if ticks else OK))
        self.refresh_bindings()

    def _enter_ticks(self) -> bool:
        """Return whether Enter in the list ticks the value under the cursor."""
        index = self.query_one(TickList).highlighted
        has_typed = bool(self._hint) and self.query_one(Input).value != self._typed
        if index is None or self._was_ticked or has_typed:
            return False
        return self._options[index][0] not in self._ticked

    def _chosen(self) -> list[str]:
        chosen = [value for value, _ in self._options if value in self._ticked]
        if self._hint:
            typed = split_names(self.query_one(Input).value)
            chosen += [name for name in typed if name not in chosen]
        return chosen

    def _tick(self, index: int) -> None:
        ticks = self.query_one(TickList)
        value = self._options[index][0]
        self._ticked ^= {value}
        if value in self._ticked and self._alone:
            self._ticked &= {value} if value == self._alone else self._ticked - {self._alone}
        self._was_ticked = True
        for place, (each, _) in enumerate(self._options):
            ticks.replace_option_prompt_at_index(place, self._option_text(each))
        self._show_chosen()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._tick(event.option_index)

    @on(Input.Changed)
    def _typing(self) -> None:
        self._show_chosen()

    @on(TickList.Taken)
    @on(Input.Submitted)
    def _take(self) -> None:
        self.dismiss(self._chosen())

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
