"""What every screen has: the bar of screens above, its keys below, and its help."""

from typing import ClassVar, Protocol, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from steertui.store.trials import TrialFilter
from steertui.tui.labels import Palette, palette
from steertui.tui.plain import one_line
from steertui.tui.session import Session

PAGES = {
    "plan": "Plan",
    "run": "Run",
    "read": "Read",
    "results": "Results",
    "label": "Label",
    "models": "Models",
}
"""The screens by name, in the order of their number keys."""


class Host(Protocol):
    """What a screen may ask of the app."""

    session: Session

    async def go(self, page: str) -> None:
        """Show a screen."""

    async def read(self, wanted: TrialFilter, key: str = "") -> None:
        """Show the trials behind a number, the cursor on one of them."""

    async def beside(self, key: str) -> None:
        """Show a trial's scenario under all conditions, side by side."""

    async def start(self) -> None:
        """Begin or go on with the open experiment."""

    async def demo(self) -> None:
        """Run the demo."""


class TopBar(Static):
    """The program's name, the screens with the current one marked, and what is open."""

    def __init__(self, current: str) -> None:
        super().__init__(id="top", markup=False)
        self._current = current

    def on_mount(self) -> None:
        """Draw."""
        self.show("")

    def show(self, about: str) -> None:
        """Draw, with `about` at the right where there is room."""
        parts: list[Content] = [Content.from_markup("[b $primary] steertui [/]")]
        for number, (page, name) in enumerate(PAGES.items(), 1):
            style = "b $block-cursor-foreground on $block-cursor-background"
            mark = style if page == self._current else "$quiet"
            text = f"[{mark}][@click=app.go('{page}')] [b]{number}[/b] {name} [/][/]"
            parts.append(Content.from_markup(text))
        bar = Content("").join(parts)
        room = self.size.width - bar.cell_length - 2
        if room >= 8 and about:
            told = Content(one_line(about)).truncate(room, ellipsis=True)
            pad = Content(" " * (room - told.cell_length + 1))
            bar = Content("").join([bar, pad, told.stylize("$quiet")])
        self.update(bar)


class Page(Screen[None]):
    """One of the screens that the number keys reach.

    A subclass names itself, says what it is for, and lays out `body`. `refill` is called when
    the screen comes up and what it shows may be old.
    """

    NAME: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    """Markdown: what is seen here and what can be done."""
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (an instance variable above)
        (0, "-narrow"),
        (100, "-wide"),
        (180, "-vast"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark",
            "app.help",
            "Help",
            key_display="?",
            id="page.help",
            tooltip="What is seen here, and every key",
        ),
        Binding("tab", "app.focus_next", "Next panel", id="page.next", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Lay out: the bar of screens, the body, the keys."""
        yield TopBar(self.NAME)
        yield from self.body()
        yield Footer()

    def body(self) -> ComposeResult:
        """Lay out what lies between."""
        yield Widget()

    @property
    def host(self) -> Host:
        """The app."""
        return cast(Host, self.app)

    @property
    def session(self) -> Session:
        """What is open."""
        return self.host.session

    @property
    def colours(self) -> Palette:
        """The colours of the app's theme."""
        return palette(self.app.current_theme.dark)

    def on_screen_resume(self) -> None:
        """Show what is true now."""
        self.name_what_is_open()
        self.refill()

    def on_resize(self) -> None:
        """Fit the bar to the new width."""
        self.name_what_is_open()

    def name_what_is_open(self) -> None:
        """Tell at the top which database this is about."""
        self.query_one(TopBar).show(str(self.session.db))

    def refill(self) -> None:
        """Ask the store again."""
