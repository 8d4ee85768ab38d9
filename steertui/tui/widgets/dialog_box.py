"""Box of a dialog, whose message and keys stay visible in a small terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.containers import Vertical
from textual.geometry import Size, Spacing
from textual.layout import ArrangeResult, WidgetPlacement
from textual.layouts.vertical import VerticalLayout
from textual.widget import Widget
from textual.widgets import Input

from steertui.tui.widgets.key_line import KeyLine
from steertui.tui.widgets.screen_words import Problem

MIN_ROWS = 3
"""Rows that what scrolls keeps as long as there are gaps to take away."""

KEPT = (KeyLine, Problem, Input)
"""Widgets that are never shortened."""


@dataclass(slots=True)
class _Row:
    """A widget of the box: its placement, its height, and the empty rows above it."""

    placement: WidgetPlacement
    height: int
    gap: int

    @property
    def widget(self) -> Widget:
        return self.placement.widget


class DialogLayout(VerticalLayout):
    """Vertical layout that shortens the list of a dialog instead of hiding its last lines.

    What does not fit is taken from what scrolls, then from the gaps, then from what scrolls again,
    and at last from the texts above the message.
    """

    name = "dialog"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Return the placements in `size`; without a height they are as high as they want."""
        placements = super().arrange(parent, children, size, greedy)
        rows = [*_rows(placements)]
        excess = sum(row.gap + row.height for row in rows) - size.height
        if not size.height or excess <= 0:
            return placements
        _shorten(rows, excess)
        return [*_placed(rows)]


def _rows(placements: Sequence[WidgetPlacement]) -> Iterator[_Row]:
    bottom = 0
    for placement in placements:
        yield _Row(placement, placement.region.height, placement.region.y - bottom)
        bottom = placement.region.bottom


def _shorten(rows: Sequence[_Row], excess: int) -> None:
    """Take `excess` rows from the widgets and from the gaps between them, as far as possible."""
    scrolled = [row for row in rows if row.widget.allow_vertical_scroll or row.widget.can_focus]
    scrolled = [row for row in scrolled if not isinstance(row.widget, KEPT)]
    texts = [row for row in rows if row not in scrolled and not isinstance(row.widget, KEPT)]
    for part, least in ((scrolled, MIN_ROWS), (rows, None), (scrolled, 1), (texts, 1)):
        for row in part:
            if least is None:
                taken = min(excess, row.gap)
                row.gap -= taken
            else:
                taken = max(0, min(excess, row.height - least))
                row.height -= taken
            excess -= taken


def _placed(rows: Sequence[_Row]) -> Iterator[WidgetPlacement]:
    y = 0
    for row in rows:
        y += row.gap
        x, _, width, _ = region = row.placement.region
        placed = region._replace(x=x, y=y, width=width, height=row.height)
        yield row.placement._replace(region=placed, margin=Spacing())
        y += row.height


class DialogBox(Vertical):
    """Box around the widgets of a dialog."""

    def __init__(self, kind: str = "") -> None:
        """`kind` is the class of its size: "wide", "form", "editor", or "" for the usual one."""
        super().__init__(classes=f"question {kind}".strip())
        self._layout = DialogLayout()

    @property
    def layout(self) -> DialogLayout:
        """The layout, in place of a name in the stylesheet, which knows only Textual's own."""
        return self._layout
