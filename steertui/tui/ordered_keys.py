"""Order of keys: each key acts on the screen to which the keys before it lead."""

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import Any, ClassVar

from textual.app import App, ReturnType
from textual.binding import Binding
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from steertui.tui.held_keys import Typed, is_sent_by_held_key, is_undecided
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.page import Page

DIALOG_GROUPS = frozenset({"default", "consent", "leave"})
"""Groups of workers of the app and of screens that open a dialog and wait for its answer."""

AT_ONCE = frozenset({"ctrl+c", "ctrl+q"})
"""Keys that are never held, so that the program can always be left."""

ROUNDS = 3
"""Rounds of messages from the focused widget to the app that one key can cause: the key, the
message of the widget, and the message of the screen."""

POLL = 0.005
"""Seconds between two looks whether a held key can act."""

CLOSE_POLL = 0.1
"""Seconds between two looks whether a widget is closed and processes no messages any more."""


class OrderedKeys(App[None]):
    """App that passes on one key at a time.

    Textual sends a key to the widget that has the focus when the key arrives. Keys that arrive
    while a key before them opens a dialog or another screen would act on the screen behind it. Here
    they wait until the new screen is composed and has its focus. Keys of a screen also wait until
    the screen has read its data for the first time; those of the app, which leave it, do not.
    While a form checks its values, keys wait for the result. Escape cancels an open form at once,
    and the keys that wait. Keys that a screen lists in `ONCE` act once per press there: their
    repeats are dropped while they are held.
    """

    HOLD_LIMIT: ClassVar[float] = 10.0
    """Seconds after which a key acts on the screen that is shown, whatever it waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[Typed] = deque()
        self._last: Typed | None = None
        self._passing: Worker[None] | None = None
        self._asking: set[Worker[Any]] = set()
        self._own_keys = {binding.key for binding in Binding.make_bindings(self.BINDINGS)}

    async def on_event(self, event: Event) -> None:
        """Hold typed keys and pasted text; process other events."""
        is_typed = isinstance(event, Key | Paste) and not event.is_forwarded
        if is_typed and isinstance(self.screen, FormDialog) and _is_escape(event):
            self.drop_keys()
            is_typed = False
        if not is_typed or (isinstance(event, Key) and event.key in AT_ONCE):
            await super().on_event(event)
            return
        assert isinstance(event, Key | Paste)
        self._last = Typed(event, monotonic() + self.HOLD_LIMIT).after(self._last)
        self._held.append(self._last)
        if self._passing is None or self._passing.is_finished:
            self._passing = self.run_worker(self._pass_on(), group="keys")

    async def push_screen_wait(
        self, screen: Screen[ReturnType] | str, *, mode: str | None = None
    ) -> ReturnType | Any:
        """Show a dialog and return its answer; keys go to the dialog meanwhile."""
        worker = get_current_worker()
        self._asking.add(worker)
        try:
            return await super().push_screen_wait(screen, mode=mode)
        finally:
            self._asking.discard(worker)

    async def _pass_on(self) -> None:
        """Pass on the held keys, each when the effects of the one before it are over."""
        while self._held:
            typed = self._held[0]
            await self._settle()
            while self._must_wait(typed) and monotonic() < typed.limit:
                await asyncio.sleep(POLL)
                await self._settle()
            if self._held and self._held[0] is typed:
                self._held.popleft()
                if not (self._acts_once(typed) and is_sent_by_held_key(typed, self._held)):
                    self.call_later(super().on_event, typed.event)

    def drop_keys(self) -> None:
        """Drop the held keys: the screen or dialog for which they were typed does not open."""
        self._held.clear()

    async def _settle(self) -> None:
        """Wait until the focused widget, what contains it, and the app have no old messages."""
        for _ in range(ROUNDS):
            target = self.focused or self.screen
            for pump in target.ancestors_with_self:
                await _process(pump)

    def _must_wait(self, typed: Typed) -> bool:
        """Return whether it is not decided yet where a key acts, or whether it does."""
        if self._acts_once(typed) and is_undecided(typed, list(self._held)[1:]):
            return True
        return self._is_acting or self._is_checking or self._waits_for_data(typed.event)

    def _acts_once(self, typed: Typed) -> bool:
        """Return whether a key that is held acts once on the screen that is shown."""
        return isinstance(self.screen, Page) and typed.key in self.screen.ONCE

    @property
    def _is_checking(self) -> bool:
        """Whether the open form checks its values."""
        return isinstance(self.screen, FormDialog) and self.screen.is_checking

    @property
    def _is_acting(self) -> bool:
        """Whether a worker is about to open a dialog, or acts on the answer of one."""
        return any(
            isinstance(worker.node, App | Screen) and worker not in self._asking
            for worker in self.workers
            if worker.group in DIALOG_GROUPS and not worker.is_finished
        )

    def _waits_for_data(self, event: Key | Paste) -> bool:
        """Return whether the event is for a screen that reads its first data."""
        is_own = isinstance(event, Key) and event.key in self._own_keys
        return isinstance(self.screen, Page) and self.screen.is_loading and not is_own


def _is_escape(event: Event) -> bool:
    return isinstance(event, Key) and event.key == "escape"


async def _process(pump: MessagePump) -> None:
    """Wait until a widget has processed the messages that it has now, or is closed."""
    done = asyncio.Event()
    while not done.is_set() and pump.call_later(done.set):
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_POLL):
                await done.wait()
