"""Line with the keys of a dialog."""

from itertools import starmap

from textual.binding import Binding
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

GAP = "   "
"""Between two keys."""

OK = ("enter", "OK")
LEAVE = ("escape", "cancel")
COMPLETE = ("right", "complete")
"""Key that takes the suggestion for a path, and what it does."""


class KeyLine(Static):
    """Line with keys, named as the key bar and the help name them, and what each does.

    Attributes:
        keys: Textual's names of keys, and their effects.
    """

    def __init__(self, *keys: tuple[str, str], before: str = "") -> None:
        """Show keys and their effects after the text `before`."""
        super().__init__(classes="keys", markup=False)
        self.keys = keys
        self._before = before

    def on_mount(self) -> None:
        """Write the line."""
        self._write()

    def show(self, *keys: tuple[str, str]) -> None:
        """Show other keys and their effects."""
        if keys != self.keys:
            self.keys = keys
            self._write()

    def _write(self) -> None:
        before = [Content(self._before)] if self._before else []
        self.update(Content(GAP).join([*before, *starmap(self._key, self.keys)]))

    def _key(self, key: str, what: str) -> Content:
        """Return a key and its effect, which a click has, too."""
        name = self.app.get_key_display(Binding(key, ""))
        click = Style.from_meta({"@click": f"app.simulate_key('{key}')"})
        return Content(f"{name}  {what}").stylize(click)
