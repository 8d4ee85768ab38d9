"""A Flow: long foreign text, wrapped once, a piece at a time; what is appended is drawn alone."""

import time
from collections.abc import Iterator

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from steertui.tui.widgets.sanitize import plain

Line = tuple[str, str]
"""A drawn line and the name of its style."""

PIECE = 8_000
"""Characters that are wrapped at once: a few milliseconds of work at the most."""

MOST_WIDTH = 100
"""Columns of a line, however wide the screen: longer ones are hard to read."""

WRAP_SECONDS = 0.02
"""Seconds of wrapping after which keys are heard, and the rest goes on."""


class LongText(ScrollView, can_focus=True):
    """Paragraphs of plain text in named styles, with a scroll bar, for texts of any length.

    The styles are component classes: "long-text--" and the name. Text is wrapped in chunks of at
    most `WRAP_SECONDS`, so that a line of a million characters does not block the screen.
    """

    COMPONENT_CLASSES = {  # noqa: RUF012 (Textual's own name and type)
        "long-text--text",
        "long-text--quiet",
        "long-text--suffix",
        "long-text--heading",
    }

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._parts: list[tuple[str | Text, str]] = []
        self._lines: list[Line | Text] = []
        self._place = (0, -1)
        """The part, and its character, up to which lines are laid; -1 where it is not begun."""
        self._wrapped_at = 0
        self._is_due = False

    @property
    def text(self) -> str:
        """All that it shows, unwrapped."""
        return "\n".join(plain(p) if isinstance(p, str) else p.plain for p, _ in self._parts)

    def clear(self) -> None:
        """Show nothing."""
        self._parts, self._lines, self._place = [], [], (0, -1)
        self.virtual_size = Size(self._width, 0)
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def add(self, text: str | Text, style: str = "text") -> None:
        """Add a paragraph: foreign text as a string, made plain here; our own may be a Text."""
        self._parts.append((text, style))
        self._lay()

    def append(self, text: str) -> None:
        """Go on with the last paragraph; a view that stood at the end stays there."""
        if not self._parts:
            self.add("")
        at_end = self.is_vertical_scroll_end
        last, style = self._parts[-1]
        assert isinstance(last, str)
        self._parts[-1] = (last + text, style)
        self._lay()
        if at_end:
            self.scroll_end(animate=False, immediate=True)

    @property
    def _width(self) -> int:
        return max(4, min(MOST_WIDTH, self.scrollable_content_region.width - 1))

    def _lay(self) -> None:
        """Wrap what is not wrapped yet, as far as a moment goes, and see to the rest."""
        first, end = max(0, len(self._lines) - 1), time.monotonic() + WRAP_SECONDS
        while self._lay_piece():
            if time.monotonic() > end:
                self._go_on_later()
                break
        self.virtual_size = Size(self._width, len(self._lines))
        self.refresh_lines(first, max(1, len(self._lines) - first))

    def _go_on_later(self) -> None:
        if not self._is_due:
            self._is_due = True
            self.set_timer(0.001, self._resume)

    def _resume(self) -> None:
        self._is_due = False
        self._lay()

    def _lay_piece(self) -> bool:
        """Wrap one piece; return whether there was one."""
        while self._place[0] < len(self._parts):
            number, start = self._place
            part, style = self._parts[number]
            if start < 0:  # a paragraph begins
                self._place = (number, 0)
                if isinstance(part, Text):
                    self._lines += part.wrap(self.app.console, self._width)
                else:
                    self._lines.append(("", style))
                return True
            if isinstance(part, str) and start < len(part):
                piece = cut(part, start)
                self._place = (number, start + len(piece))
                before = self._lines.pop()
                assert isinstance(before, tuple)
                lines = wrap(before[0] + plain(piece), self._width)
                self._lines += [(line, style) for line in lines]
                return True
            if number + 1 == len(self._parts):  # it may be gone on with
                return False
            self._place = (number + 1, -1)
        return False

    def on_resize(self, _: events.Resize) -> None:
        """Wrap anew, since the width is another."""
        if self._wrapped_at != self._width:
            self._wrapped_at = self._width
            self._lines, self._place = [], (0, -1)
            self._lay()

    def render_line(self, y: int) -> Strip:
        """Return one line as it stands on the screen."""
        index = y + self.scroll_offset.y
        width, base = self.size.width, self.rich_style
        if index >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[index]
        if isinstance(line, Text):
            segments = list(line.render(self.app.console))
            strip = Strip(Segment(s.text, base + (s.style or Style())) for s in segments if s.text)
        else:
            style = base + self.get_component_rich_style(f"long-text--{line[1]}", partial=True)
            strip = Strip([Segment(line[0], style)])
        return strip.crop_extend(0, width, base)


def cut(text: str, start: int) -> str:
    """Return the next piece of a long text, cut behind a space or line's end where there is one."""
    piece = text[start : start + PIECE]
    if start + PIECE < len(text):
        last = max(piece.rfind(" ", -200), piece.rfind("\n", -200))
        piece = piece[: last + 1] or piece
    return piece


def wrap(text: str, width: int) -> Iterator[str]:
    """Yield the text's lines, broken at spaces where they can be, in cells."""
    for paragraph in text.split("\n"):
        if len(paragraph) <= width and paragraph.isascii():
            yield paragraph
        elif paragraph.isascii():
            yield from _wrap_narrow(paragraph, width)
        else:
            yield from _wrap_wide(paragraph, width)


def _wrap_narrow(text: str, width: int) -> Iterator[str]:
    start = 0
    while len(text) - start > width:
        space = text.rfind(" ", start, start + width + 1)
        end = space if space > start else start + width
        yield text[start:end]
        start = end + (space > start)
    yield text[start:]


def _wrap_wide(text: str, width: int) -> Iterator[str]:
    line, taken = "", 0
    for char in text:
        cells = get_character_cell_size(char)
        if taken + cells > width:
            head, space, tail = line.rpartition(" ")
            if char == " " or not space or not head:
                yield line
                line, taken = ("", 0) if char == " " else (char, cells)
                continue
            yield head
            line, taken = tail, cell_len(tail)
        line += char
        taken += cells
    yield line
