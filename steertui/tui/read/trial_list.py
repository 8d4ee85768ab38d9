"""List of trials that fetches only the visible pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from steertui.printable import one_line
from steertui.store.trials import TrialLine
from steertui.tui.read.trial_columns import LongestNames, column_widths
from steertui.tui.widgets.label_style import Palette, palette
from steertui.tui.widgets.layout import shorten_apart
from steertui.tui.widgets.moves import move_bindings

PAGE = 100
"""Trials per page."""

FAR = 100_000_000
"""A number of lines that moves the cursor to the first or last trial."""


class TrialList(ScrollView, can_focus=True):
    """List with one line per trial: sign, condition, scenario, and the beginning of the answer.

    Attributes:
        names: longest names of conditions and models; a single model is not named.
    """

    COMPONENT_CLASSES = {  # noqa: RUF012 (Textual's own name and type)
        "list--row",
        "list--cursor",
        "list--cursor-blurred",
    }
    BINDINGS = [  # noqa: RUF012
        *move_bindings("move(1)", "move(-1)", f"move({-FAR})", f"move({FAR})"),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
    ]

    cursor = reactive(0, layout=False)

    @dataclass
    class PageRequest(Message):
        """Request for a visible page that is not loaded.

        Attributes:
            page: index of the page.
            generation: number of the list's contents, so that a reply for earlier contents can be
                ignored.
            rows: row numbers of the trials.
        """

        page: int
        generation: int
        rows: Sequence[int]

    class Moved(Message):
        """Message that the cursor is on another trial."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[int] = ()
        self._pages: dict[int, dict[int, TrialLine]] = {}
        self._requested: set[int] = set()
        self._generation = 0
        self.names = LongestNames()
        self._title_width = 0

    def fill(self, rows: Sequence[int], keep: int | None = None) -> None:
        """Show the trials with these row numbers; put the cursor on `keep` if it is one of them.

        If they are those that are shown, their lines stay until they are read again, and so does
        the scroll position.
        """
        if rows == self._rows and self.row == keep:
            self._read_again()
            return
        self._rows = rows
        self._title_width = 0
        self.forget()
        self.virtual_size = Size(self.size.width, len(rows))
        self.cursor = rows.index(keep) if keep is not None and keep in set(rows) else 0
        self._show_cursor()
        self.refresh()

    def _read_again(self) -> None:
        """Request the visible pages again, and discard the others."""
        top = self.scroll_offset.y
        visible = range(top // PAGE, (top + self.size.height) // PAGE + 1)
        self._pages = {page: self._pages[page] for page in visible if page in self._pages}
        self._requested = set()
        self._generation += 1
        for page in self._pages:
            self.post_message(self._request(page))

    def forget(self) -> None:
        """Discard all pages, so that the visible ones are fetched again."""
        self._pages = {}
        self._requested = set()
        self._generation += 1
        self.refresh()

    def put(self, reply_to: PageRequest, lines: Sequence[TrialLine]) -> None:
        """Add a requested page, unless the contents have changed since."""
        if reply_to.generation == self._generation:
            self._pages[reply_to.page] = {line.row: line for line in lines}
            titles = (cell_len(one_line(line.title)) for line in lines)
            self._title_width = max(self._title_width, *titles, 0)
            self.refresh()

    @property
    def row(self) -> int | None:
        """Row number of the trial under the cursor; None for an empty list."""
        return self._rows[self.cursor] if self._rows else None

    @property
    def line(self) -> TrialLine | None:
        """Line of the trial under the cursor; None if its page is not loaded."""
        return self._line(self.cursor) if self._rows else None

    def __len__(self) -> int:
        return len(self._rows)

    def _line(self, index: int) -> TrialLine | None:
        page = index // PAGE
        if page not in self._pages:
            if page not in self._requested:
                self.post_message(self._request(page))
            return None
        return self._pages[page].get(self._rows[index])

    def request_cursor(self) -> PageRequest:
        """Return the request for the page of the cursor, which is then not posted."""
        return self._request(self.cursor // PAGE)

    def _request(self, page: int) -> PageRequest:
        self._requested.add(page)
        rows = self._rows[page * PAGE : (page + 1) * PAGE]
        return self.PageRequest(page, self._generation, rows)

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of lines."""
        if self._rows:
            self.cursor = max(0, min(len(self._rows) - 1, self.cursor + by))
            self._show_cursor()

    def action_page(self, by: int) -> None:
        """Move the cursor by a number of screen pages."""
        self.action_move(by * max(1, self.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked line."""
        index = event.y + self.scroll_offset.y
        if index < len(self._rows):
            self.cursor = index

    def on_resize(self) -> None:
        """Keep the cursor visible."""
        self.virtual_size = Size(self.size.width, len(self._rows))
        self._show_cursor()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw both lines and post `Moved`."""
        self.refresh_line(old)
        self.refresh_line(new)
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        width = self.size.width
        index = y + self.scroll_offset.y
        base = self.get_component_rich_style("list--row")
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        if index == self.cursor:
            name = "list--cursor" if self.has_focus else "list--cursor-blurred"
            base = self.get_component_rich_style(name)
        line = self._line(index)
        colours = palette(self.app.current_theme.dark)
        text = self._draw(line, width, colours) if line else Text("  …", colours.faint)
        segments = [
            Segment(s.text, base + s.style if s.style else base)
            for s in text.render(self.app.console)
            if s.text and not isinstance(s.style, str)
        ]
        return Strip(segments).crop_extend(0, width, base)

    def _draw(self, line: TrialLine, width: int, colours: Palette) -> Text:
        sign = colours.sign(
            line.label,
            failed=bool(line.failure),
            answered=line.answer is not None,
        )
        widths = column_widths(width - 1, self.names, self._title_width)
        text = Text(" ", end="").append_text(sign)
        text.append(f" {_fit(line.condition, widths['condition'])} ", colours.quiet)
        if widths["model"]:
            model = shorten_apart(one_line(line.model), self.names.models, widths["model"])
            text.append(f"{_fit(model, widths['model'])} ", colours.quiet)
        text.append(f"{_fit(line.title, widths['title'])} ")
        if line.sample or line.temperature:
            text.append(f"#{line.sample + 1:<3} ", colours.faint)
        if line.stop == "length":
            text.append("trunc. ", colours.warning)
        text.append(one_line(line.answer or "")[: max(0, width)], colours.quiet)
        text.truncate(width - 1, overflow="ellipsis")
        return text


def _fit(text: str, width: int) -> str:
    fitted = Text(one_line(text))
    fitted.truncate(width, overflow="ellipsis", pad=True)
    return fitted.plain
