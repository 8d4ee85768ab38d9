"""The Textual app: opens the screens over one database and switches between them."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from rich.segment import Segments
from rich.traceback import Traceback
from textual import work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import ModalScreen, Screen

from steertui.core.experiment import DEMO_EXPERIMENT
from steertui.paths import DEMO_DB
from steertui.planning.origin import TYPED
from steertui.store.trial_filter import TrialFilter
from steertui.tui.gc_tuning import collect_at_intervals, exempt_live_objects
from steertui.tui.help_screen import HelpScreen, named_bindings
from steertui.tui.leaving import Leaving
from steertui.tui.preferences import THEME, load_preference, save_preference
from steertui.tui.screens import CONSTRUCTORS, import_screens
from steertui.tui.screenshot import save_picture
from steertui.tui.session import Draft, Session
from steertui.tui.store_waits import SaysWaits
from steertui.tui.terminal_output import small_output
from steertui.tui.theme import DARK, LIGHT
from steertui.tui.widgets.page import PAGES

IDLE_AFTER = 0.3
"""Seconds after the first text until the other screens are imported."""

TERMINAL_CHECK = 2.0
"""Seconds between two looks whether the terminal is still there."""

GRACE = 10.0
"""Seconds in which the app may exit by itself after its terminal is gone."""

INPUT_THREAD = "textual-input"
"""Name of the thread in which Textual reads keys."""

MAX_VISITED = 50
"""Screens that Escape returns to."""


class SteertuiApp(Leaving, SaysWaits):
    """Screens of steertui in a terminal."""

    TITLE = "steertui"
    CSS_PATH = "steertui.tcss"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {**CONSTRUCTORS}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n), f"go('{page}')", name, show=False, id=f"app.{page}", tooltip="Show it")
            for n, (page, name) in enumerate(PAGES.items(), 1)
        ),
        Binding("0", "go('start')", "Start screen", show=False, id="app.start", tooltip="Show it"),
        Binding(
            "left_square_bracket",
            "turn(-1)",
            "Previous screen",
            show=False,
            key_display="[",
            id="app.before",
            tooltip="In the order of the digits",
        ),
        Binding(
            "right_square_bracket",
            "turn(1)",
            "Next screen",
            show=False,
            key_display="]",
            id="app.on",
            tooltip="In the order of the digits",
        ),
        Binding(
            "escape",
            "back",
            "Back",
            id="app.back",
            tooltip="To the screen that was shown before",
        ),
        Binding(
            "ctrl+o",
            "open",
            "Open experiment",
            show=False,
            id="app.open",
            tooltip="A recent one, or another database",
        ),
        Binding(
            "ctrl+t",
            "light",
            "Dark or light",
            show=False,
            id="app.light",
            tooltip="Switch the theme, and remember it",
        ),
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            show=False,
            id="app.suspend",
            tooltip="To the shell, where fg returns; a run stands still meanwhile",
        ),
        Binding("ctrl+c", "quit", "Quit", show=False, id="app.interrupt"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.end"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Quit; finished work is stored"),
    ]

    def __init__(self, session: Session, first: str = "start", *, light: bool = False) -> None:
        super().__init__()
        self.session = session
        self._first = first
        self._visited: list[str] = []
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        saved = load_preference(THEME)
        default = saved if saved in self.available_themes else DARK.name
        self.theme = LIGHT.name if light else default

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver for the terminal, with smaller output."""
        return small_output(super().get_driver_class())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the stylesheet's variables for themes that do not define them."""
        return {"quiet": "#808a96", "faint": "#707a86"}

    async def on_mount(self) -> None:
        """Open the first screen; exit cleanly on SIGTERM and SIGHUP."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), self._exit_on_signal, name)
        if self._first == "running":
            await self.start()
        else:
            await self.go(self._first)
        if os.isatty(0):
            self.set_interval(TERMINAL_CHECK, self._exit_without_terminal)
        self.set_timer(IDLE_AFTER, self._import_screens)
        collect_at_intervals(self)
        self.theme_changed_signal.subscribe(self, lambda theme: save_preference(THEME, theme.name))
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.note()

    @work(thread=True, group="imports")
    def _import_screens(self) -> None:
        import_screens()
        exempt_live_objects()

    def _exit_without_terminal(self) -> None:
        """Exit as on SIGHUP if the terminal is gone, which not every terminal signals."""
        if not os.isatty(0):
            self._exit_on_signal("SIGHUP")

    def _exit_on_signal(self, name: str) -> None:
        self.exit(return_code=128 + getattr(signal, name))

    def _fatal_error(self) -> None:
        """Exit after an unhandled exception; Textual's own traceback shows local variables, which
        may be keys."""
        self.bell()
        traceback = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(traceback)))
        self._close_messages_no_wait()

    # Navigation

    async def go(self, page: str) -> None:
        """Show a screen; Escape returns to the present one."""
        if page != self.current_mode and self.current_mode in self.MODES:
            self._visited = [*self._visited[1 - MAX_VISITED :], self.current_mode]
        await super().go(page)
        self.screen.refresh_bindings()

    async def action_back(self) -> None:
        """Show the screen that was shown before."""
        if self._visited:
            await super().go(self._visited.pop())
            self.screen.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable Back if there is a screen to return to, Suspend in a terminal with jobs."""
        if action == "suspend_process":
            return bool(self._driver and self._driver.can_suspend)
        if action == "back":
            return bool(self._visited)
        return super().check_action(action, parameters)

    async def action_go(self, page: str) -> None:
        """Show a screen (key binding)."""
        await self.go(page)

    async def action_turn(self, by: int) -> None:
        """Show the next screen, or the previous one."""
        pages = list(PAGES)
        here = pages.index(self.current_mode) if self.current_mode in pages else -1
        await self.go(pages[(here + by) % len(pages)])

    async def show_trials(self, wanted: TrialFilter, key: str = "") -> None:
        """Show the trials that a number counts, with the cursor on one of them."""
        from steertui.tui.read.read_screen import ReadScreen

        await self.go("read")
        await self.close_overlays()
        screen = self.screen
        assert isinstance(screen, ReadScreen)
        screen.want(wanted, key)

    async def compare(self, key: str) -> None:
        """Show a trial's scenario under all conditions, side by side."""
        from steertui.tui.read.compare_screen import CompareScreen

        await self.push_screen(CompareScreen(key))

    async def run_demo(self) -> None:
        """Open the demo's database and run the demo."""
        if self.open(DEMO_DB, DEMO_EXPERIMENT, origin=TYPED):
            await self.start()

    async def start(self, plan: Draft | None = None) -> None:
        """Start or resume the open experiment, or another plan for the open database."""
        from steertui.tui.run.run_screen import RunScreen

        await self.go("run")
        await self.close_overlays()
        screen = self.screen
        assert isinstance(screen, RunScreen)
        screen.start(plan)

    # Keys

    def get_key_display(self, binding: Binding) -> str:
        """Return the name of a key on all screens: enter, for which fonts lack a sign, by name."""
        is_enter = binding.key == "enter" and not binding.key_display
        return binding.key if is_enter else super().get_key_display(binding)

    def action_help(self) -> None:
        """Show the help of the current screen."""
        self.push_screen(HelpScreen(self.screen))

    def action_light(self) -> None:
        """Switch between the dark and the light theme."""
        self.theme = DARK.name if self.theme == LIGHT.name else LIGHT.name

    @work
    async def action_export(self) -> None:
        """Export the open experiment to a file."""
        from steertui.tui.exporting import export

        await export(self, self.session)

    def deliver_screenshot(
        self, filename: str | None = None, path: str | None = None, time_format: str | None = None
    ) -> str | None:
        """Save a picture of the screen; a browser downloads it.

        Textual's own needs a folder "Downloads" in a terminal, and names no reason of a failure.
        """
        if self.is_web:
            return super().deliver_screenshot(filename, path, time_format)
        save_picture(self, self.current_mode)
        return None

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the keys' commands, those of the screen first, then Textual's own."""
        for active in named_bindings(screen):
            binding = active.binding
            key = self.get_key_display(binding)
            about = f"{key}  {binding.tooltip}" if binding.tooltip else key
            run = partial(self.run_action, binding.action, active.node)
            yield SystemCommand(binding.description, about, run)
        if not isinstance(screen, ModalScreen):  # its answer is for the open experiment
            yield SystemCommand("Run the demo", "Offline, takes seconds", self.run_demo)
        names = {active.binding.description for active in named_bindings(screen)}
        for command in super().get_system_commands(screen):
            # panels inside a scrolled one have no size of their own that could be maximised
            if command.title not in names and command.callback != screen.action_maximize:
                yield command


def run_app(session: Session, *, at_once: bool) -> int:
    """Run the app; return the exit code. `at_once` starts the experiment.

    If the terminal is gone, Textual's thread that reads keys never ends; the process then exits
    here, when everything is stored and closed.
    """
    app = SteertuiApp(session, "running" if at_once else "start")
    if os.isatty(0):
        threading.Thread(target=_exit_without_terminal, daemon=True).start()
    app.run()
    code = app.return_code or 0
    if any(thread.name == INPUT_THREAD for thread in threading.enumerate()):
        os._exit(code)
    return code


def _exit_without_terminal() -> None:
    """End the process some time after its terminal is gone, if the app has not exited by then.

    Textual waits for ever if its writer thread died of a closed terminal. Every finished answer is
    stored by then.
    """
    while os.isatty(0):
        time.sleep(TERMINAL_CHECK)
    time.sleep(GRACE)
    os._exit(128 + getattr(signal, "SIGHUP", 1))
