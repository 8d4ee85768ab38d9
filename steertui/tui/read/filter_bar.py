"""The FilterBar: which trials are shown, in a line of chips that the keys name; and the search."""

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Input

from steertui.core.verdict import Label
from steertui.store.trial_filter import FAILED, UNLABELLED, WAITING, FilterOptions, TrialFilter
from steertui.tui.widgets.choose_one import OptionRow
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import join_wrapped
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.sanitize import one_line

KEYS = {
    "experiment": "a",
    "model": "m",
    "temperature": "t",
    "condition": "c",
    "category": "k",
    "label": "l",
    "judge": "j",
    "stop": "o",
}
"""The filters that are chosen from a list, and their keys."""

LISTS = {
    "model": "models",
    "temperature": "temperatures",
    "condition": "conditions",
    "category": "categories",
    "judge": "judges",
}
"""Where the database's own values of a filter stand in `FilterOptions`."""

SELF_NAMED = ("experiment", "judge")
"""Those whose values need no name before them, and that say little by being set."""


class Search(Input):
    """Words that the answers hold."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the list", id="search.enter"),
        Binding("escape", "give_up", "Clear", key_display="esc", id="search.clear"),
    ]

    def action_give_up(self) -> None:
        """Search for nothing, and go back to the list."""
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class FilterBar(ReflowingText):
    """Draws a filter, and lists what each part of it may be."""

    choices = FilterOptions((), (), (), (), ())
    """What the database offers."""

    def show(self, wanted: TrialFilter, colours: Palette) -> None:
        """Draw."""
        chips = [
            self._chip(name, key, wanted, colours)
            for name, key in KEYS.items()
            if name != "temperature" or wanted.temperature or len(self.choices.temperatures) > 1
        ]
        self.draw_with(lambda room: join_wrapped(chips, Text("  "), room.width))

    def _chip(self, name: str, key: str, wanted: TrialFilter, colours: Palette) -> Text:
        value, is_short = getattr(wanted, name), name in SELF_NAMED
        said = f"any {name}" if is_short else name
        if value:
            told = self._shown(name, value, wanted, colours)
            said = told if is_short else f"{name} {told}"
        style = f"bold {colours.strong}" if value and not is_short else colours.quiet
        return Text(end="").append(key, f"bold {colours.blue}").append(f" {said}", style)

    def _shown(self, name: str, value: str, wanted: TrialFilter, colours: Palette) -> str:
        if name == "experiment":
            return "this experiment"
        return str(dict(self.options(name, wanted, colours)).get(value, value)).strip()

    def options(self, name: str, open_now: TrialFilter, colours: Palette) -> list[OptionRow]:
        """Return what a filter may be; "" is all."""
        found: list[OptionRow] = [] if name == "judge" else [("", "all")]
        if name in LISTS:
            return found + [(v, one_line(n)) for v, n in getattr(self.choices, LISTS[name])]
        if name == "experiment":
            return [
                *found,
                *([(open_now.experiment, "this experiment")] if open_now.experiment else []),
            ]
        if name == "stop":
            return [*found, ("stop", "ended by itself"), ("length", "cut off")]
        labels: list[OptionRow] = [(label.value, colours.label_text(label)) for label in Label]
        others = (UNLABELLED, "▪ not judged"), (FAILED, "! judge failed"), (WAITING, "▫ waiting")
        return found + labels + list(others)
