"""How a label looks: a sign and a colour, so that neither alone has to carry it."""

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from steertui.core.verdict import SIGNS, Label
from steertui.tui.theme import DARK, DARK_LABELS, LIGHT, LIGHT_LABELS
from steertui.tui.widgets.layout import join_fitting

WAITING, WRITING, WRITTEN, FAILED = "▫", "▸", "▪", "!"


@dataclass(frozen=True)
class Palette:
    """The colours that text is drawn in; a widget asks for the one of the app's theme."""

    labels: dict[Label, str]
    blue: str
    quiet: str
    faint: str
    warning: str
    error: str
    strong: str

    def label(self, label: Label) -> Style:
        """Return the style of a label's sign."""
        return Style(color=self.labels[label], bold=True)

    def sign(self, label: Label | None, *, failed: bool = False, answered: bool = True) -> Text:
        """Return the one sign of a trial under one judge."""
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
        """Return every sign with its meaning, as many as there is room for."""
        rest = (
            f"{FAILED} failed",
            f"{WRITING} writing",
            f"{WAITING} waiting",
            f"{WRITTEN} answered",
        )
        parts = [*map(self.label_text, Label), *(Text(part, self.quiet) for part in rest)]
        return join_fitting(parts, Text("   "), width)


ON_DARK = Palette(DARK_LABELS, DARK.primary, "#8593a3", "#586677", "#f2cc60", "#ff6b6b", "#ffffff")
ON_LIGHT = Palette(
    LIGHT_LABELS, LIGHT.primary, "#5f6b78", "#939da8", "#8a6100", "#b3261e", "#000000"
)


def palette(dark: bool) -> Palette:
    """Return the palette for a dark or a light theme."""
    return ON_DARK if dark else ON_LIGHT
