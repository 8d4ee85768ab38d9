"""Place in a scrolled box that stays when another size of the screen changes its lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.containers import ScrollableContainer
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import DataTable, Static

from steertui.tui.widgets.moves import MoveScroll


@dataclass(frozen=True, slots=True)
class Place:
    """Position of a visible widget in its scrolled box.

    Attributes:
        widget: text or table.
        above: lines of the widget above the upper edge of the box, negative below it.
        height: lines of the widget.
    """

    widget: Widget
    above: int
    height: int


class PlacedScroll(MoveScroll):
    """Scrolled box that keeps its place when another size of the terminal changes its lines."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._places: list[Place] = []
        self._drawn_size = Size()

    def on_mount(self) -> None:
        """Note the place after each layout."""
        self._drawn_size = self.app.size
        self.screen.screen_layout_refresh_signal.subscribe(self, self._note, immediate=True)

    def keep_place(self) -> None:
        """Scroll to the place in the former size, as soon as the new one is drawn."""
        self.call_after_refresh(self.call_after_refresh, self._scroll_back)

    def _scroll_back(self, former: int = -1) -> None:
        """Scroll to where the box was, until no layout moves it any more."""
        line = scroll_back(self, self._places)
        if line != former:
            self.call_after_refresh(self.call_after_refresh, self._scroll_back, line)
        else:
            self._drawn_size = self.app.size

    def _note(self, _: Screen[object]) -> None:
        """Note what is visible after a layout, but not while another size is drawn."""
        if self.app.size == self._drawn_size:
            self._places = visible_places(self)


def visible_places(box: ScrollableContainer) -> list[Place]:
    """Return the texts and tables that are visible in a box, from its upper edge."""
    edge = box.scroll_offset.y
    places = [
        Place(widget, edge - _top(widget, box), widget.outer_size.height)
        for widget in box.query("*")
        if isinstance(widget, Static | DataTable) and widget.display
    ]
    return [p for p in places if -box.size.height < p.above < p.height]


def scroll_back(box: ScrollableContainer, places: Sequence[Place]) -> int:
    """Scroll to the place of the table with the focus, or else to the first place; return the line.

    Of a widget that is partly above the edge, the same share is above it again.
    """
    focused = (place for place in places if place.widget.has_focus)
    place = next(focused, next(iter(places), None))
    if place is None:
        return box.scroll_offset.y
    height = place.widget.outer_size.height
    above = place.above
    if above > 0:
        above = round(above * height / place.height)
    elif place.widget.has_focus:
        above = max(above, min(0, height - box.size.height))
    line = _top(place.widget, box) + above
    box.scroll_to(y=line, animate=False, immediate=True)
    return line


def _top(widget: Widget, box: Widget) -> int:
    """Return the line of the box's content at which a widget begins."""
    top = 0
    for part in (widget, *widget.ancestors):
        if part is box:
            break
        if isinstance(part, Widget):
            top += part.virtual_region.y
    return top
