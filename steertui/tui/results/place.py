"""Place in a scrolled box that stays when another size of the screen changes its lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.containers import ScrollableContainer
from textual.widget import Widget
from textual.widgets import DataTable, Static


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
