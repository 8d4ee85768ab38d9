"""A Fitted: text that is drawn anew for whatever room it gets."""

from collections.abc import Callable

from rich.text import Text
from textual.geometry import Size
from textual.widgets import Static

Draw = Callable[[Size], Text]
"""From columns and lines to text."""


class ReflowingText(Static):
    """Holds how its text is drawn, and draws it again where it has other room or other words."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._draw: Draw | None = None
        self._drawn_at = Size()
        self._drawn = Text()

    def draw_with(self, draw: Draw) -> None:
        """Draw so from now on."""
        self._draw = draw
        self._redraw()

    def on_resize(self) -> None:
        """Draw for the new room."""
        if self.content_size != self._drawn_at:
            self._redraw()

    def _redraw(self) -> None:
        room = self.content_size
        if self._draw and room.width:
            text = self._draw(room)
            if room != self._drawn_at or not _alike(text, self._drawn):
                self._drawn_at, self._drawn = room, text
                self.update(text, layout=self.styles.auto_dimensions)


def _alike(one: Text, other: Text) -> bool:
    return one == other and one.style == other.style
