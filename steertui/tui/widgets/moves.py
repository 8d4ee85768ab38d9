"""Keys that move in every list, table and text: those of the arrows, and those of less and vi."""

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import OptionList


def move_bindings(down: str, up: str, first: str, last: str) -> list[BindingType]:
    """Return the bindings for a widget's actions: one line down or up, first line, last line."""
    return [
        Binding("j,down", down, "Down", show=False, key_display="j ↓", tooltip="Next line"),
        Binding("k,up", up, "Up", show=False, key_display="k ↑", tooltip="Previous line"),
        Binding("g,home", first, "First", show=False, key_display="g home", tooltip="To the top"),
        Binding("G,end", last, "Last", show=False, key_display="G end", tooltip="To the end"),
    ]


class MoveList(OptionList):
    """List with the keys of all lists."""

    BINDINGS = move_bindings("cursor_down", "cursor_up", "first", "last")


class MoveScroll(VerticalScroll, can_focus=True):
    """Container of text and other widgets that scrolls with the keys of all texts."""

    BINDINGS = move_bindings("scroll_down", "scroll_up", "scroll_home", "scroll_end")
