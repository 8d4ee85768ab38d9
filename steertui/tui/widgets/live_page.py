"""Screen that reads the database again when it has changed while the screen is shown."""

import time

from textual import on
from textual.worker import Worker

from steertui.store.read_only import newest_change
from steertui.tui.widgets.page import LOADING_GROUPS, Page

LOOK_INTERVAL = 2.0
"""Seconds between two looks at the database's time of change."""

PAUSE = 10.0
"""Duration of the pause after a reading, as a multiple of the reading's: a run in progress changes
the database all the time, and reading 100,000 trials takes seconds."""


class LivePage(Page):
    """Screen whose data follow the database: a run, labels of other screens, other processes."""

    def __init__(self) -> None:
        super().__init__()
        self._change = 0.0
        self._begun = 0.0
        self._due = 0.0

    def on_mount(self) -> None:
        """Look for changes while the screen is shown."""
        self.set_interval(LOOK_INTERVAL, self._look_for_changes)

    def on_screen_resume(self) -> None:
        """Note which state of the database is read when the screen is shown."""
        self._note_reading()

    def read_again(self) -> None:
        """Read the changed database."""
        self.reload()

    def _note_reading(self) -> None:
        self._change = newest_change(self.session.db)
        self._begun = time.monotonic()

    def _look_for_changes(self) -> None:
        is_due = self.is_current and not self.is_reading and time.monotonic() >= self._due
        if is_due and self._change != newest_change(self.session.db):
            self._note_reading()
            self.read_again()

    @on(Worker.StateChanged)
    def _reading_ended(self, event: Worker.StateChanged) -> None:
        """Set the earliest time of the next reading."""
        if event.worker.group in LOADING_GROUPS and event.worker.is_finished:
            now = time.monotonic()
            self._due = now + PAUSE * (now - self._begun)
