"""Input line that takes all lines of a pasted text."""

from collections.abc import Sequence

from textual.events import Paste
from textual.widgets import Input

from steertui.typed_lists import join_names, split_names


class TextLine(Input):
    """Input line; a pasted text of several lines becomes one line.

    Textual's own input keeps the first line only.
    """

    def on_paste(self, event: Paste) -> None:
        """Insert the pasted text."""
        event.prevent_default()
        event.stop()
        self.replace(self.as_line(event.text), *self.selection)

    def as_line(self, text: str) -> str:
        """Return a pasted text as one line; empty lines are left out."""
        lines = [line for line in text.splitlines() if line.strip()]
        return self.join_lines([line.strip() for line in lines]) if lines[1:] else "".join(lines)

    def join_lines(self, lines: Sequence[str]) -> str:
        """Return pasted lines as one line."""
        return " ".join(lines)


class NamesLine(TextLine):
    """Input line for a list of names, of which each pasted line has one or several."""

    def join_lines(self, lines: Sequence[str]) -> str:
        """Return pasted lines as one list."""
        return join_names(name for line in lines for name in split_names(line))
