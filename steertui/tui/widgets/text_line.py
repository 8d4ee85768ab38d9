"""Input line that takes every typed character and all lines of a pasted text."""

import unicodedata
from collections.abc import Sequence

from textual.events import Key, Paste
from textual.widgets import Input

from steertui.typed_lists import join_names, split_names


def typed_character(event: Key) -> str:
    """Return the character of a key, "" for a key without one and for control characters.

    Python calls an ideographic space, a joiner and a no-break space not printable, and Textual's
    own lines and areas drop what is not printable.
    """
    character = event.character or ""
    is_text = len(character) == 1 and unicodedata.category(character) not in ("Cc", "Cs")
    return character if is_text else ""


class TextLine(Input):
    """Input line; a pasted text of several lines becomes one line.

    Textual's own input keeps the first line only.
    """

    def on_key(self, event: Key) -> None:
        """Insert a typed character."""
        character = typed_character(event)
        if character and not event.is_printable:
            event.prevent_default()
            event.stop()
            self.replace(character, *self.selection)

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
