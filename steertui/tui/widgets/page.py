"""What every screen has: the bar of screens above, its keys below, and its help."""

from typing import ClassVar, Protocol, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static
from textual.worker import Worker, WorkerState

from steertui.errors import SteertuiError
from steertui.store.trial_filter import TrialFilter
from steertui.tui.session import Session
from steertui.tui.widgets.label_style import Palette, palette
from steertui.tui.widgets.sanitize import one_line

PAGES = {
    "plan": "Plan",
    "run": "Run",
    "read": "Read",
    "results": "Results",
    "label": "Label",
    "models": "Models",
}
"""The screens by name, in the order of their number keys."""

WAYS_ON = (("0", "the demo: offline, in some seconds"), ("1", "plan an experiment of your own"))
"""What to press where there is nothing to show yet."""


class Host(Protocol):
    """What a screen may ask of the app."""

    session: Session

    async def go(self, page: str) -> None:
        """Show a screen."""

    async def show_trials(self, wanted: TrialFilter, key: str = "") -> None:
        """Show the trials behind a number, the cursor on one of them."""

    async def compare(self, key: str) -> None:
        """Show a trial's scenario under all conditions, side by side."""

    async def start(self) -> None:
        """Begin or go on with the open experiment."""

    async def run_demo(self) -> None:
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

    A subclass names itself, says what it is for, and lays out `body`. `reload` is called when
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

    _blank: tuple[str, Palette] | None = None

    def compose(self) -> ComposeResult:
        """Lay out: the bar of screens, the body, the keys."""
        yield TopBar(self.NAME)
        with Vertical(id="page-body"):
            yield from self.body()
        with Middle(id="empty"), Center():
            yield Static(id="empty-note", markup=False)
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
    def is_database_missing(self) -> bool:
        """Whether the database is not there yet."""
        return not self.session.db.exists()

    @property
    def colours(self) -> Palette:
        """The colours of the app's theme."""
        return palette(self.app.current_theme.dark)

    def on_mount(self) -> None:
        """Draw anew in another theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.recolour())

    def recolour(self) -> None:
        """Draw in the theme's colours."""
        self.reload()

    def on_screen_resume(self) -> None:
        """Show what is true now."""
        self.show_database()
        self.reload()

    def on_resize(self) -> None:
        """Fit the bar to the new width."""
        self.show_database()

    def show_database(self) -> None:
        """Tell at the top which database this is about."""
        self.query_one(TopBar).show(str(self.session.db))

    def reload(self) -> None:
        """Ask the store again."""

    def show_empty(self, told: str = "") -> None:
        """Show a sentence and what to press next instead of the body; "" shows the body."""
        c = self.colours
        if self._blank == (told, c):
            return
        self._blank = told, c
        self.query_one("#page-body").display = not told
        self.query_one("#empty").display = bool(told)
        text = Text()
        text.append(f"{told}\n\n", "bold")
        for key, does in WAYS_ON:
            text.append(f"  {key}  ", f"bold {c.blue}").append(f"{does}\n", c.quiet)
        self.query_one("#empty-note", Static).update(text)

    def show_error(self, told: str) -> None:
        """Say what went wrong."""
        self.notify(told, severity="error", timeout=15, markup=False)

    @on(Worker.StateChanged)
    def _failed(self, event: Worker.StateChanged) -> None:
        """Say what a worker could not do; what is not the user's to mend ends the program."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            if not isinstance(error, SteertuiError):
                raise error or RuntimeError(event.worker.name)
            self.show_error(str(error))
