"""Line with the keys of a dialog."""

from textual.binding import Binding
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
        keys = (f"{self.app.get_key_display(Binding(key, ''))}  {what}" for key, what in self.keys)
        self.update(GAP.join(filter(None, (self._before, *keys))))
