"""A Flow: long foreign text, wrapped once; what is appended is wrapped and drawn alone."""

from collections.abc import Iterator

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from steertui.tui.plain import plain

Line = tuple[str, str]
"""A drawn line and the name of its style."""


class Flow(ScrollView, can_focus=True):
    """Paragraphs of plain text in named styles, with a scroll bar, for texts of any length.

    The styles are component classes: "flow--" and the name.
    """

    COMPONENT_CLASSES = {  # noqa: RUF012 (Textual's own name and type)
        "flow--text",
        "flow--quiet",
        "flow--suffix",
        "flow--heading",
    }

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._parts: list[tuple[str | Text, str]] = []
        self._lines: list[Line | Text] = []
        self._wrapped_at = 0

    @property
    def text(self) -> str:
        """All that it shows, unwrapped."""
        return "\n".join(str(part) for part, _ in self._parts)

    def clear(self) -> None:
        """Show nothing."""
        self._parts, self._lines = [], []
        self.virtual_size = Size(self._width, 0)
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def add(self, text: str | Text, style: str = "text") -> None:
        """Add a paragraph: foreign text as a string, made plain here; our own may be a Text."""
        part = text if isinstance(text, Text) else plain(text)
        self._parts.append((part, style))
        self._lay(part, style)
        self._grown()

    def append(self, text: str) -> None:
        """Go on with the last paragraph; a view that stood at the end stays there."""
        if not self._parts:
            self.add("")
        at_end = self.is_vertical_scroll_end
        last, style = self._parts[-1]
        assert isinstance(last, str)
        more = plain(text)
        self._parts[-1] = (last + more, style)
        line = self._lines.pop() if self._lines else ("", style)
        assert isinstance(line, tuple)
        first = len(self._lines)
        self._lay(line[0] + more, style)
        self._grown(first)
        if at_end:
            self.scroll_end(animate=False, immediate=True)

    @property
    def _width(self) -> int:
        return max(4, self.scrollable_content_region.width)

    def _lay(self, part: str | Text, style: str) -> None:
        if isinstance(part, Text):
            self._lines += part.wrap(self.app.console, self._width)
        else:
            self._lines += [(line, style) for line in wrap(part, self._width)]

    def _grown(self, first: int = 0) -> None:
        self.virtual_size = Size(self._width, len(self._lines))
        self.refresh_lines(first, max(1, len(self._lines) - first))

    def on_resize(self, _: events.Resize) -> None:
        """Wrap anew, since the width is another."""
        if self._wrapped_at != self._width:
            self._wrapped_at = self._width
            self._lines = []
            for part, style in self._parts:
                self._lay(part, style)
            self._grown()

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
            style = base + self.get_component_rich_style(f"flow--{line[1]}", partial=True)
            strip = Strip([Segment(line[0], style)])
        return strip.crop_extend(0, width, base)


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
