"""Filter bar: the active filters with their keys, their possible values, and the search."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from steertui.core.verdict import Label
from steertui.printable import one_line
from steertui.store.trial_filter import FAILED, UNLABELLED, WAITING, FilterOptions, TrialFilter
from steertui.tui.widgets import label_style
from steertui.tui.widgets.choose_one import OptionRow
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import join_wrapped
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.tui.widgets.text_line import TextLine

KEYS = {
    "experiment": "a",
    "model": "m",
    "temperature": "t",
    "condition": "c",
    "category": "s",
    "label": "l",
    "judge": "v",
    "stop": "o",
    "differs_from": "d",
}
"""Filters with a list of values, and their keys."""

STORED_VALUES = {
    "model": "models",
    "temperature": "temperatures",
    "condition": "conditions",
    "category": "categories",
    "judge": "judges",
    "differs_from": "judges",
}
"""By filter: the field of `FilterOptions` with the values in the database."""

NAMES = {"differs_from": "disagrees with"}
"""Names of filters that are not those of their fields."""

WITHOUT_NAME = ("experiment", "judge")
"""Filters that are shown without their name, and not emphasised when set."""


MIN_VALUES = {"temperature": 1, "differs_from": 1}
"""By filter: the number of values in the database that must be exceeded for it to be shown."""

NO_OPTIONS = FilterOptions((), (), (), (), ())
"""Options without a database."""

FIXED_VALUES = (("", ""),)
"""Stands for the values of a filter whose list does not depend on the database."""


def filter_title(name: str) -> str:
    """Return the name of a filter as it is shown."""
    return NAMES.get(name, name)


class Search(TextLine):
    """Input for words in answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "To the list", id="search.enter"),
        Binding("escape", "clear_search", "Clear", id="search.clear"),
    ]

    def action_clear_search(self) -> None:
        """Clear the search and return to the list."""
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class FilterBar(ReflowingText):
    """Text with the filters and their keys.

    Attributes:
        choices: values in the database.
    """

    choices = NO_OPTIONS

    def show(self, wanted: TrialFilter, colours: Palette) -> None:
        """Show the filter."""
        chips = [
            self._chip(name, key, wanted, colours)
            for name, key in KEYS.items()
            if getattr(wanted, name) or len(self._stored(name)) > MIN_VALUES.get(name, 0)
        ]
        chips += [Text(text, colours.strong, end="") for text in self._without_key(wanted, colours)]
        self.draw_with(lambda size: join_wrapped(chips, Text("  "), size.width))

    def _without_key(self, wanted: TrialFilter, colours: Palette) -> Iterator[str]:
        """Yield the active filters that only a drill-down sets; x clears them."""
        if wanted.scenario:
            yield f"scenario {one_line(wanted.scenario)}"
        if wanted.sample:
            yield f"sample {int(wanted.sample) + 1}"
        if wanted.other:
            judge = self._value_text("judge", wanted.other, wanted, colours)
            label = self._value_text("label", wanted.other_label, wanted, colours)
            yield f"{label} by {judge}"

    def _stored(self, name: str) -> Sequence[tuple[str, str]]:
        """Return the values of a filter in the database; placeholders for a fixed list."""
        stored: Sequence[tuple[str, str]] = getattr(
            self.choices, STORED_VALUES.get(name, ""), FIXED_VALUES
        )
        return stored

    def _chip(self, name: str, key: str, wanted: TrialFilter, colours: Palette) -> Text:
        value = getattr(wanted, name)
        has_name = name not in WITHOUT_NAME
        text = filter_title(name) if has_name else f"any {name}"
        if value:
            shown = self._value_text(name, value, wanted, colours)
            text = f"{filter_title(name)} {shown}" if has_name else shown
        style = f"bold {colours.strong}" if value and has_name else colours.quiet
        chip = Text(end="").append(key, f"bold {colours.blue}").append(f" {text}", style)
        chip.apply_meta({"@click": f"screen.choose('{name}')"})
        return chip

    def _value_text(self, name: str, value: str, wanted: TrialFilter, colours: Palette) -> str:
        if name == "experiment":
            return "this experiment"
        texts = dict(self.options(name, wanted, colours))
        values = value.split(",") if name == "label" else [value]
        return " or ".join(str(texts.get(each, each)).strip() for each in values)

    def options(self, name: str, wanted: TrialFilter, colours: Palette) -> list[OptionRow]:
        """Return the values of a filter with their texts; "" means all."""
        rows: list[OptionRow] = [] if name == "judge" else [("", "all")]
        if name in STORED_VALUES:
            stored = getattr(self.choices, STORED_VALUES[name])
            rows += [(value, one_line(text)) for value, text in stored]
        elif name == "experiment":
            rows += [(wanted.experiment, "this experiment")] if wanted.experiment else []
        elif name == "stop":
            rows += [("stop", "complete"), ("length", "truncated")]
        else:
            rows += _label_options(colours)
        return rows


def _label_options(colours: Palette) -> list[OptionRow]:
    return [
        *((label.value, colours.label_text(label)) for label in Label),
        (UNLABELLED, f"{label_style.WRITTEN} unjudged"),
        (FAILED, f"{label_style.FAILED} judge failed"),
        (WAITING, f"{label_style.WAITING} waiting"),
    ]
