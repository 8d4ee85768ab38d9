"""Dialog with a list and an input line, which takes what is typed while the list has the focus."""

from typing import ClassVar

from textual.events import Key, Paste
from textual.screen import ModalScreen, ScreenResultType

from steertui.tui.widgets.text_line import TextLine, typed_character


class LineDialog(ModalScreen[ScreenResultType]):
    """Dialog whose input line takes the text that is typed while its list has the focus.

    Letters that move in other lists are text here, too: the arrows, home and end move.
    """

    SEPARATOR: ClassVar[str] = ""
    """Text between the line's old text and what is typed into the list."""

    def on_key(self, event: Key) -> None:
        """Type a character into the line, which gets the focus; Space is a key of the list."""
        character = typed_character(event)
        if character and character != " ":
            self._append(event, character)

    def on_paste(self, event: Paste) -> None:
        """Insert a text that is pasted over the list into the line."""
        self._append(event, event.text)

    def _append(self, event: Key | Paste, text: str) -> None:
        line = next(iter(self.query(TextLine)), None)
        if line is None or self.focused is line:
            return
        event.stop()
        line.select_on_focus = False  # else the next character replaces this one
        self.set_focus(line)
        separator = self.SEPARATOR if line.value.strip() else ""
        line.value = f"{line.value.rstrip()}{separator}{line.as_line(text)}"
        line.cursor_position = len(line.value)
