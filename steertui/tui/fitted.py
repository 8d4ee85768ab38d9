"""A Fitted: text that is drawn anew for whatever room it gets."""

from collections.abc import Callable

from rich.text import Text
from textual.geometry import Size
from textual.widgets import Static

Draw = Callable[[Size], Text]
"""From columns and lines to text."""


class Fitted(Static):
    """Holds how its text is drawn, and draws it again where it has other room."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._draw: Draw | None = None
        self._drawn_at = Size()

    def fit(self, draw: Draw) -> None:
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
            self._drawn_at = room
            self.update(self._draw(room), layout=self.styles.auto_dimensions)
