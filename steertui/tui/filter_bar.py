"""The FilterBar: which trials are shown, in a line of chips that the keys name."""

from rich.text import Text
from textual.widgets import Static

from steertui.store.trials import FAILED, UNLABELLED, WAITING, Choices, TrialFilter
from steertui.tui.choose import Choice
from steertui.tui.labels import Palette
from steertui.tui.plain import one_line
from steertui.verdict import Label

KEYS = {
    "experiment": "a",
    "model": "m",
    "condition": "c",
    "category": "k",
    "label": "l",
    "judge": "j",
    "stop": "o",
}
"""The filters that are chosen from a list, and their keys."""


class FilterBar(Static):
    """Draws a filter, and lists what each part of it may be."""

    choices = Choices((), (), (), ())
    """What the database offers."""

    def show(self, wanted: TrialFilter, colours: Palette) -> None:
        """Draw."""
        text = Text()
        for name, key in KEYS.items():
            value = getattr(wanted, name)
            shown = self._shown(name, value, wanted, colours)
            text.append(key, f"bold {colours.blue}").append(f" {name} ", colours.quiet)
            text.append(f"{shown}   ", "bold" if value and name != "judge" else colours.faint)
        self.update(text)

    def _shown(self, name: str, value: str, wanted: TrialFilter, colours: Palette) -> str:
        if not value:
            return "all"
        if name == "experiment":
            return "this one"
        return str(dict(self.options(name, wanted, colours)).get(value, value)).strip()

    def options(self, name: str, open_now: TrialFilter, colours: Palette) -> list[Choice]:
        """Return what a filter may be; "" is all."""
        found: list[Choice] = [] if name == "judge" else [("", "all")]
        if name in ("model", "condition", "category", "judge"):
            plural = {"category": "categories"}.get(name, name + "s")
            return found + [(v, one_line(n)) for v, n in getattr(self.choices, plural)]
        if name == "experiment":
            return [*found, *([(open_now.experiment, "this one")] if open_now.experiment else [])]
        if name == "stop":
            return [*found, ("stop", "ended by itself"), ("length", "cut off")]
        labels: list[Choice] = [(label.value, colours.named(label)) for label in Label]
        others = (UNLABELLED, "▪ not judged"), (FAILED, "! judge failed"), (WAITING, "▫ waiting")
        return found + labels + list(others)
