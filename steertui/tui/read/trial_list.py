"""List of trials that fetches only the visible pages."""

from collections.abc import Sequence
from dataclasses import dataclass

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
from steertui.tui.widgets.label_style import Palette, palette
from steertui.tui.widgets.moves import move_bindings

PAGE = 100
"""Trials per page."""

FAR = 100_000_000
"""A number of lines that moves the cursor to the first or last trial."""


TITLE_WIDTHS = ((110, 48), (90, 36), (70, 24), (0, 18))
"""Least columns of the list, and columns of a title; stored titles have about 48 characters."""


class TrialList(ScrollView, can_focus=True):
    """List with one line per trial: sign, condition, scenario, and the beginning of the answer.

    Attributes:
        several_models: whether the lines name the model.
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
        self.several_models = False

    def fill(self, rows: Sequence[int], keep: int | None = None) -> None:
        """Show the trials with these row numbers; put the cursor on `keep` if it is one of them."""
        self._rows = rows
        self.forget()
        self.virtual_size = Size(self.size.width, len(rows))
        self.cursor = rows.index(keep) if keep is not None and keep in set(rows) else 0
        self._show_cursor()
        self.refresh()

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
                self._requested.add(page)
                rows = self._rows[page * PAGE : (page + 1) * PAGE]
                self.post_message(self.PageRequest(page, self._generation, rows))
            return None
        return self._pages[page].get(self._rows[index])

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
        condition_width = 13 if width > 80 else 9
        sign = colours.sign(
            line.label,
            failed=bool(line.failure),
            answered=line.answer is not None,
        )
        text = Text(" ", end="").append_text(sign)
        text.append(f" {_fit(line.condition, condition_width)} ", colours.quiet)
        if self.several_models:
            text.append(f"{_fit(line.model, 16 if width > 60 else 10)} ", colours.quiet)
        title_width = next(w for least, w in TITLE_WIDTHS if width >= least)
        text.append(f"{_fit(line.title, title_width)} ")
        if line.sample or line.temperature:
            text.append(f"#{line.sample + 1:<3} ", colours.faint)
        if width > 60:
            text.append("trunc. " if line.stop == "length" else "       ", colours.warning)
        text.append(one_line(line.answer or "")[: max(0, width)], colours.quiet)
        text.truncate(width - 1, overflow="ellipsis")
        return text


def _fit(text: str, width: int) -> str:
    fitted = Text(one_line(text))
    fitted.truncate(width, overflow="ellipsis", pad=True)
    return fitted.plain
