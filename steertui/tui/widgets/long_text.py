"""Viewer for long texts, which are wrapped in chunks so that the screen stays responsive."""

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

from steertui.printable import printable
from steertui.tui.widgets.moves import move_bindings

Line = tuple[str, str]
"""A wrapped line and the name of its style."""

CHUNK = 8_000
"""Characters wrapped at once: at most a few milliseconds of work."""

MAX_WIDTH = 100
"""Maximum columns of a line, since longer lines are hard to read."""

WRAP_SECONDS = 0.02
"""Seconds of wrapping after which control returns to the event loop."""


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

    BINDINGS = move_bindings("scroll_down", "scroll_up", "scroll_home", "scroll_end")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._parts: list[tuple[str | Text, str]] = []
        self._lines: list[Line | Text] = []
        self._position = (0, -1)
        """Paragraph and character up to which lines exist; -1 before the paragraph begins."""
        self._wrapped_width = 0
        self._is_scheduled = False

    @property
    def text(self) -> str:
        """The whole text, unwrapped."""
        return "\n".join(printable(p) if isinstance(p, str) else p.plain for p, _ in self._parts)

    def clear(self) -> None:
        """Remove all paragraphs."""
        self._parts = []
        self._lines = []
        self._position = (0, -1)
        self.virtual_size = Size(self._width, 0)
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def add(self, text: str | Text, style: str = "text") -> None:
        """Add a paragraph; a string is sanitised, a Text is not."""
        self._parts.append((text, style))
        self._wrap()

    def append(self, text: str) -> None:
        """Append to the last paragraph; a view that is scrolled to the end stays at the end."""
        if not self._parts:
            self.add("")
        at_end = self.is_vertical_scroll_end
        last, style = self._parts[-1]
        assert isinstance(last, str)
        self._parts[-1] = (last + text, style)
        self._wrap()
        if at_end:
            self.scroll_end(animate=False, immediate=True)

    @property
    def _width(self) -> int:
        return max(4, min(MAX_WIDTH, self.scrollable_content_region.width - 1))

    def _wrap(self) -> None:
        """Wrap for at most `WRAP_SECONDS`, and schedule the rest; a new width begins again."""
        if self._wrapped_width != self._width:
            self._wrapped_width = self._width
            self._lines = []
            self._position = (0, -1)
        first = max(0, len(self._lines) - 1)
        deadline = time.monotonic() + WRAP_SECONDS
        while self._wrap_chunk():
            if time.monotonic() > deadline:
                self._schedule()
                break
        self.virtual_size = Size(self._width, len(self._lines))
        self.refresh_lines(first, max(1, len(self._lines) - first))

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self.set_timer(0.001, self._resume)

    def _resume(self) -> None:
        self._is_scheduled = False
        self._wrap()

    def _wrap_chunk(self) -> bool:
        """Wrap one chunk; return whether there was one."""
        while self._position[0] < len(self._parts):
            number, start = self._position
            part, style = self._parts[number]
            if start < 0:  # the paragraph has no lines yet
                self._position = (number, 0)
                if isinstance(part, Text):
                    self._lines += part.wrap(self.app.console, self._width)
                else:
                    self._lines.append(("", style))
                return True
            if isinstance(part, str) and start < len(part):
                chunk = next_chunk(part, start)
                self._position = (number, start + len(chunk))
                before = self._lines.pop()
                assert isinstance(before, tuple)
                lines = wrap(before[0] + printable(chunk), self._width)
                self._lines += [(line, style) for line in lines]
                return True
            if number + 1 == len(self._parts):  # text may be appended to it
                return False
            self._position = (number + 1, -1)
        return False

    def on_resize(self, _: events.Resize) -> None:
        """Wrap again if the width changed."""
        if self._wrapped_width != self._width:
            self._wrap()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        index = y + self.scroll_offset.y
        width = self.size.width
        base = self.rich_style
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


def next_chunk(text: str, start: int) -> str:
    """Return the next chunk of a text, which ends after a space or newline if possible."""
    chunk = text[start : start + CHUNK]
    if start + CHUNK < len(text):
        last = max(chunk.rfind(" ", -200), chunk.rfind("\n", -200))
        chunk = chunk[: last + 1] or chunk
    return chunk


def wrap(text: str, width: int) -> Iterator[str]:
    """Yield lines of at most `width` cells, broken at spaces if possible."""
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
    line = ""
    line_cells = 0
    for char in text:
        cells = get_character_cell_size(char)
        if line_cells + cells > width:
            head, space, tail = line.rpartition(" ")
            if char == " " or not space or not head:
                yield line
                line = "" if char == " " else char
                line_cells = cell_len(line)
                continue
            yield head
            line = tail
            line_cells = cell_len(tail)
        line += char
        line_cells += cells
    yield line
