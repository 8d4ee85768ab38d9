"""Signs and colours of labels and trial states; a label never depends on its colour alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from steertui.core.verdict import SIGNS, Label
from steertui.report import palette as palette_colours
from steertui.report.palette import condition_class
from steertui.tui.theme import DARK, DARK_LABELS, LIGHT, LIGHT_LABELS
from steertui.tui.widgets.layout import join_fitting

WAITING = "▫"
WRITING = "▸"
WRITTEN = "▪"
FAILED = "!"


@dataclass(frozen=True)
class Palette:
    """Text colours of a theme.

    Attributes:
        labels: colour of each label.
        conditions: colour of each condition by `condition_class`, as in the report's figures.
        background: colour of the screen.
        blue: focus and keys.
        quiet: explanations.
        faint: axes, frames and placeholders.
        warning: warnings.
        error: errors and failures.
        strong: emphasis.
    """

    labels: dict[Label, str]
    conditions: Mapping[str, str]
    background: str
    blue: str
    quiet: str
    faint: str
    warning: str
    error: str
    strong: str

    def label(self, label: Label) -> Style:
        """Return the style of a label's sign."""
        return Style(color=self.labels[label], bold=True)

    def condition(self, name: str) -> str:
        """Return the colour of a condition, which is that of the page."""
        return self.conditions[condition_class(name)]

    def sign(self, label: Label | None, *, failed: bool = False, answered: bool = True) -> Text:
        """Return the sign of a trial: its label, or its state if it has none."""
        if label:
            return Text(SIGNS[label], self.label(label))
        if failed:
            return Text(FAILED, Style(color=self.error, bold=True))
        if answered:
            return Text(WRITTEN, self.quiet)
        return Text(WAITING, self.faint)

    def label_text(self, label: Label) -> Text:
        """Return sign and name of a label."""
        return Text(f"{SIGNS[label]} {label.words}", self.label(label))

    def legend(self, width: int = 1000) -> Text:
        """Return the meanings of the signs, as many as fit `width` columns."""
        states = (
            f"{WRITTEN} answered",
            f"{FAILED} failed",
            f"{WRITING} generating",
            f"{WAITING} waiting",
        )
        parts = [*map(self.label_text, Label), *(Text(state, self.quiet) for state in states)]
        return join_fitting(parts, Text("  "), width)


ON_DARK = Palette(
    labels=DARK_LABELS,
    conditions=palette_colours.DARK,
    background=DARK.background or "",
    blue=DARK.primary,
    quiet="#8593a3",
    faint="#586677",
    warning="#f2cc60",
    error="#ff6b6b",
    strong="#ffffff",
)
ON_LIGHT = Palette(
    labels=LIGHT_LABELS,
    conditions=palette_colours.LIGHT,
    background=LIGHT.background or "",
    blue=LIGHT.primary,
    quiet="#5f6b78",
    faint="#939da8",
    warning="#8a6100",
    error="#b3261e",
    strong="#000000",
)


def palette(dark: bool) -> Palette:
    """Return the palette for a dark or a light theme."""
    return ON_DARK if dark else ON_LIGHT
