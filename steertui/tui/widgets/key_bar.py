"""Key bar at the foot of a screen: as many keys as fit, each whole, and how to quit."""

from collections.abc import Iterator

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey  # the package exports no name for it

PALETTE = "-command-palette"
"""Class of the key of the command palette, which stands at the right edge."""

PALETTE_EDGE = 1
"""Columns of the line at the left of the palette's key."""


class KeyBar(Footer):
    """Footer that leaves out the keys for which there is no room; the help lists all.

    The last key, which ends the program, always has room.
    """

    _width = 0
    """Columns for which the keys were chosen."""

    def compose(self) -> ComposeResult:
        """Yield the keys that fit, in their order, the last key, and the command palette."""
        keys = list(super().compose())
        right = [key for key in keys if key.has_class(PALETTE)]
        left = [key for key in keys if not key.has_class(PALETTE)]
        room = self.app.size.width - sum(_columns(key) + PALETTE_EDGE for key in right)
        yield from _fitting(left[:-1], room - sum(map(_columns, left[-1:])))
        yield from left[-1:]
        yield from right

    def on_resize(self, event: Resize) -> None:
        """Compose again for another width."""
        if event.size.width != self._width:
            self._width = event.size.width
            self.call_after_refresh(self.recompose)


def _fitting(keys: list[Widget], room: int) -> Iterator[Widget]:
    """Yield the first keys that fit into `room` columns together."""
    for key in keys:
        room -= _columns(key)
        if room < 0:
            return
        yield key


def _columns(key: Widget) -> int:
    """Return the columns of a key and its description, with a space around the key and after."""
    assert isinstance(key, FooterKey)
    return cell_len(f" {key.key_display} {key.description} ")
