"""A TrialList: any number of trials, of which only the pages in sight are fetched."""

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

from steertui.store.trials import TrialLine
from steertui.tui.widgets.label_style import Palette, palette
from steertui.tui.widgets.sanitize import one_line

PAGE = 100


class TrialList(ScrollView, can_focus=True):
    """A line a trial: sign, condition, scenario, the answer's first words."""

    COMPONENT_CLASSES = {  # noqa: RUF012 (Textual's own name and type)
        "list--row",
        "list--cursor",
        "list--cursor-blurred",
    }
    BINDINGS = [  # noqa: RUF012
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-100000000)", "First", show=False),
        Binding("end", "move(100000000)", "Last", show=False),
    ]

    cursor = reactive(0, layout=False)

    @dataclass
    class Wanted(Message):
        """These row numbers are in sight and not there yet.

        `page` is the list's own number, `filling` that of the filling which asked: what comes for
        an earlier one is of other trials.
        """

        page: int
        filling: int
        rows: Sequence[int]

    class Moved(Message):
        """The cursor is on another trial."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[int] = ()
        self._pages: dict[int, dict[int, TrialLine]] = {}
        self._asked: set[int] = set()
        self._filling = 0
        self.several_models = False

    def fill(self, rows: Sequence[int], keep: int | None = None) -> None:
        """Show other trials; the cursor goes to row number `keep`, if that is among them."""
        self._rows = rows
        self.forget()
        at = rows.index(keep) if keep is not None and keep in set(rows) else 0
        self.virtual_size = Size(self.size.width, len(rows))
        self.cursor = at
        self._show_cursor()
        self.refresh()

    def forget(self) -> None:
        """Fetch anew what is in sight."""
        self._pages, self._asked = {}, set()
        self._filling += 1
        self.refresh()

    def put(self, wanted: Wanted, lines: Sequence[TrialLine]) -> None:
        """Take a page that was asked for, unless other trials are shown by now."""
        if wanted.filling == self._filling:
            self._pages[wanted.page] = {line.row: line for line in lines}
            self.refresh()

    @property
    def row(self) -> int | None:
        """The row number under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    @property
    def line(self) -> TrialLine | None:
        """The trial under the cursor, None where its page is not there yet."""
        return self._line(self.cursor) if self._rows else None

    def __len__(self) -> int:
        return len(self._rows)

    def _line(self, index: int) -> TrialLine | None:
        page = index // PAGE
        if page not in self._pages:
            if page not in self._asked:
                self._asked.add(page)
                rows = self._rows[page * PAGE : (page + 1) * PAGE]
                self.post_message(self.Wanted(page, self._filling, rows))
            return None
        return self._pages[page].get(self._rows[index])

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        if self._rows:
            self.cursor = max(0, min(len(self._rows) - 1, self.cursor + by))
            self._show_cursor()

    def action_page(self, by: int) -> None:
        """Move the cursor by what is in sight."""
        self.action_move(by * max(1, self.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor under the mouse."""
        index = event.y + self.scroll_offset.y
        if index < len(self._rows):
            self.cursor = index

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(self.size.width, len(self._rows))
        self._show_cursor()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw both lines, and tell."""
        self.refresh_line(old)
        self.refresh_line(new)
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Return one trial's line."""
        width, index = self.size.width, y + self.scroll_offset.y
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
        answered = line.answer is not None
        title = 40 if width > 110 else 24 if width > 70 else 18
        text = Text(" ", end="")
        text.append_text(colours.sign(line.label, failed=bool(line.failure), answered=answered))
        text.append(f" {_fit(line.condition, 9)} ", colours.quiet)
        if self.several_models and width > 60:
            text.append(f"{_fit(line.model, 16)} ", colours.quiet)
        text.append(f"{_fit(line.title, title)} ")
        if line.sample or line.temperature:
            text.append(f"#{line.sample + 1:<3} ", colours.faint)
        if width > 60:
            text.append("cut " if line.stop == "length" else "    ", colours.warning)
        text.append(one_line(line.answer or "")[: max(0, width)], colours.quiet)
        text.truncate(width - 1, overflow="ellipsis")
        return text


def _fit(text: str, width: int) -> str:
    fitted = Text(one_line(text))
    fitted.truncate(width, overflow="ellipsis", pad=True)
    return fitted.plain
