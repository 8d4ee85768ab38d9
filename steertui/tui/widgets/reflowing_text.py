"""Text that is rendered again for each size of its widget."""

from collections.abc import Callable

from rich.text import Text
from textual.geometry import Size
from textual.widgets import Static

Draw = Callable[[Size], Text]
"""Function from a size in columns and lines to the text."""


class ReflowingText(Static):
    """Widget that renders its text by a function, again whenever the size changes."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._draw: Draw | None = None
        self._drawn_size = Size()
        self._drawn_text = Text()

    def draw_with(self, draw: Draw) -> None:
        """Set the function, and render the text."""
        self._draw = draw
        self._redraw()

    def on_resize(self) -> None:
        """Render the text for the new size."""
        if self.content_size != self._drawn_size:
            self._redraw()

    def _redraw(self) -> None:
        size = self.content_size
        if not size.width:  # not displayed: drawn when it is
            self._drawn_size = size
        elif self._draw:
            text = self._draw(size)
            if size != self._drawn_size or not _are_equal(text, self._drawn_text):
                self._drawn_size = size
                self._drawn_text = text
                self.update(text, layout=self.styles.auto_dimensions)


def _are_equal(one: Text, other: Text) -> bool:
    # Text's own comparison ignores the base style.
    return one == other and one.style == other.style
