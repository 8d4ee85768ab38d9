"""Base of the screens: navigation bar, body, key bar, and a message for an empty screen."""

from typing import ClassVar, Protocol, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from steertui.analysis.summary import Summary
from steertui.core.experiment import Experiment
from steertui.errors import SteertuiError
from steertui.paths import exists
from steertui.printable import one_line
from steertui.store.trial_filter import TrialFilter
from steertui.tui.recent import RecentExperiment
from steertui.tui.session import Draft, Session
from steertui.tui.widgets.key_bar import KeyBar
from steertui.tui.widgets.label_style import Palette, palette
from steertui.tui.widgets.layout import shorten_path
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.thread_question import Asked

PAGES = {
    "plan": "Plan",
    "run": "Run",
    "read": "Read",
    "results": "Results",
    "label": "Label",
    "models": "Models",
    "vectors": "Vectors",
    "judges": "Judges",
}
"""Titles of the screens by name, in the order of their number keys."""

FIRST_STEPS = (("0", "open the start screen: the demo runs offline"), ("1", "plan an experiment"))
"""Keys, and what they do, for an empty screen."""

LOADING_GROUPS = frozenset({"list", "count", "find", "read", "queue", "load"})
"""Groups of workers that read the data of a screen."""

MIN_ABOUT_WIDTH = 8
"""Columns below which the navigation bar does not name the database."""


class Host(Protocol):
    """Methods of the app that screens use."""

    session: Session

    @property
    def is_at_work(self) -> bool:
        """Whether a run is in progress in this process, paused or not."""

    @property
    def running_experiment(self) -> Experiment | None:
        """The experiment of the run in progress in this process; None without one."""

    @property
    def labelling_task(self) -> str:
        """Title of the screen of this process whose task may label the answers; "" for none."""

    async def experiment_elsewhere(self) -> str | None:
        """Return the id of what another process runs or judges on the open database, or None."""

    async def is_run_elsewhere(self) -> bool:
        """Return whether another process runs on the open database."""

    async def go(self, page: str) -> None:
        """Show a screen."""

    def drop_keys(self) -> None:
        """Drop the keys that are typed and have not acted yet."""

    async def recent_experiments(self) -> list[RecentExperiment]:
        """Return the open experiment, then those of its database and the recent ones by time."""

    async def open_recent(self, recent: RecentExperiment) -> None:
        """Open an experiment; show Run if answers are missing, else Results.

        Raises SteertuiError if it cannot be opened.
        """

    def note(self, summary: Summary | None = None) -> object:
        """Put the open experiment on top of the recent ones; None for an unknown gap."""

    async def show_trials(self, wanted: TrialFilter, key: str = "") -> None:
        """Show the trials that pass a filter, with the cursor on the trial `key`."""

    async def compare(self, key: str) -> None:
        """Show the trial's scenario under all conditions, side by side."""

    async def start(self) -> None:
        """Start or resume the open experiment."""

    async def run_plan(self, plan: Draft) -> None:
        """Run a plan on the open database; it is opened when the run has stored it."""

    async def run_demo(self) -> None:
        """Run the demo."""


class TopBar(Static):
    """Navigation bar: program name, screens, and the open database."""

    def __init__(self, current: str) -> None:
        """Mark `current`, the name of a screen."""
        super().__init__(id="top", markup=False)
        self._current = current

    def on_mount(self) -> None:
        """Draw the bar."""
        self.show("")

    def show(self, about: str) -> None:
        """Draw the bar, with the path `about` on the right if there is room."""
        bar = self._bar(pad=" ")
        if bar.cell_length > self.size.width:
            bar = self._bar(pad="")
        width = self.size.width - bar.cell_length - 2
        if width >= MIN_ABOUT_WIDTH and about:
            text = Content(shorten_path(one_line(about), width))
            padding = Content(" " * (width - text.cell_length + 1))
            bar = Content("").join([bar, padding, text.stylize("$quiet")])
        self.update(bar)

    def _bar(self, *, pad: str) -> Content:
        """Return the screens; with `pad` around each, after the program's name."""
        parts = [Content.from_markup("[b $primary] steertui [/]")] if pad else []
        for number, (page, title) in enumerate(PAGES.items(), 1):
            style = "$quiet"
            if page == self._current:
                style = "b $block-cursor-foreground on $block-cursor-background"
            link = f"[@click=app.go('{page}')]{pad}[b]{number}[/b] {title} [/]"
            parts.append(Content.from_markup(f"[{style}]{link}[/]"))
        return Content("").join(parts)


class Page(Screen[None]):
    """Screen that a number key opens.

    A subclass sets `NAME` and `HELP`, and defines `body` and `reload`.

    Attributes:
        NAME: key of `PAGES`, or another name for a screen without number key.
        HEADING: title of the help, if the screen is not one of `PAGES`.
        HELP: Markdown text of the help screen.
        ONCE: keys that act once per press, however long they are held.
    """

    NAME: ClassVar[str] = ""
    HEADING: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    ONCE: ClassVar[frozenset[str]] = frozenset()
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (an instance variable in Textual)
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
            tooltip="Explain this screen and its keys",
        ),
        Binding(
            "tab",
            "app.focus_next",
            "Next panel",
            id="page.next",
            show=False,
            tooltip="Move the focus",
        ),
    ]

    _empty_note: tuple[str, Palette] | None = None
    _shown_version = -1
    _is_first_load = False

    def compose(self) -> ComposeResult:
        """Yield the navigation bar, the body, and the key bar."""
        yield TopBar(self.NAME)
        with Vertical(id="page-body"):
            yield from self.body()
        with Middle(id="empty"), Center():
            yield Static(id="empty-note", markup=False)
        yield KeyBar()

    def body(self) -> ComposeResult:
        """Yield the widgets between the bars."""
        yield Widget()

    @property
    def host(self) -> Host:
        """The app."""
        return cast(Host, self.app)

    @property
    def session(self) -> Session:
        """The open database and experiment."""
        return self.host.session

    @property
    def is_loading(self) -> bool:
        """Whether the screen's keys wait: it reads its data for the first time."""
        return self._is_first_load and self.is_reading

    @property
    def is_reading(self) -> bool:
        """Whether a worker reads data of the screen."""
        return any(
            worker.node is self and worker.group in LOADING_GROUPS
            for worker in self.workers
            if not worker.is_finished
        )

    @property
    def is_at_work(self) -> bool:
        """Whether a run is in progress on this screen, paused or not."""
        return self.running_experiment is not None

    @property
    def running_experiment(self) -> Experiment | None:
        """The experiment of the run in progress on this screen; None without one."""
        return None

    @property
    def is_database_missing(self) -> bool:
        """Whether the database file does not exist yet."""
        return not exists(self.session.db)

    @property
    def colours(self) -> Palette:
        """Colours of the app's theme."""
        return palette(self.app.current_theme.dark)

    def on_mount(self) -> None:
        """Draw again when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.recolour())

    def recolour(self) -> None:
        """Draw in the colours of the theme."""
        self.reload()

    def on_screen_resume(self) -> None:
        """Update the screen when it is shown."""
        if self._shown_version != self.session.version:
            self._shown_version = self.session.version
            self._is_first_load = True
        self.show_database()
        self.reload()

    def on_resize(self) -> None:
        """Fit the navigation bar to the new width."""
        self.show_database()

    def show_database(self) -> None:
        """Show the open database in the navigation bar."""
        self.query_one(TopBar).show(str(self.session.db))

    def reload(self) -> None:
        """Read the screen's data again; called whenever the screen is shown."""

    def show_noted(self) -> None:
        """Show what may be new since the app has noted the open experiment as recent."""

    def show_empty(self, message: str = "") -> None:
        """Show a message and the first steps instead of the body; "" shows the body."""
        colours = self.colours
        if self._empty_note == (message, colours):
            return
        self._empty_note = (message, colours)
        self.query_one("#page-body").display = not message
        self.query_one("#empty").display = bool(message)
        text = Text().append(f"{message}\n\n", "bold")
        for key, effect in FIRST_STEPS:
            text.append(f"  {key}  ", f"bold {colours.blue}").append(f"{effect}\n", colours.quiet)
        self.query_one("#empty-note", Static).update(text)

    async def action_export_experiment(self) -> None:
        """Export the open experiment to a file."""
        await self.app.run_action("export")

    def show_error(self, message: str) -> None:
        """Show an error message, and drop the keys that were typed before it."""
        self.host.drop_keys()
        self.notify(message, severity="error", timeout=15, markup=False)

    @on(Asked)
    def _thread_asked(self, asked: Asked) -> None:
        """Show a thread's question."""

        def take(is_agreed: bool | None) -> None:
            asked.answer.set_result(bool(is_agreed))

        self.app.push_screen(Confirm(asked.text, asked.verb), take)

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """Show the error of a worker; an error that the user cannot correct ends the program."""
        if event.worker.group in LOADING_GROUPS:
            self._is_first_load &= self.is_reading
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            if not isinstance(error, SteertuiError):
                raise error or RuntimeError(event.worker.name)
            self.show_error(str(error))
