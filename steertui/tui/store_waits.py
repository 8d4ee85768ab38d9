"""Notices that the store waits for another program, which its log says."""

import logging
from dataclasses import dataclass

from textual import on
from textual.app import App
from textual.message import Message

from steertui.store.connection import LOG
from steertui.store.guard import LOCK_WAIT
from steertui.tui.widgets.screen_words import in_screen_words


@dataclass
class StoreWaits(Message):
    """The store waits, in words."""

    text: str


class _Posted(logging.Handler):
    """Handler that posts messages to an app, from any thread."""

    def __init__(self, app: App[None]) -> None:
        super().__init__()
        self._app = app

    def emit(self, record: logging.LogRecord) -> None:
        """Post one message."""
        self._app.post_message(StoreWaits(record.getMessage()))


class SaysWaits(App[None]):
    """App that says when the store waits for another program's lock."""

    _waits: logging.Handler | None = None

    async def on_mount(self) -> None:
        """Listen to the store."""
        self._waits = _Posted(self)
        LOG.addHandler(self._waits)

    def on_unmount(self) -> None:
        """Listen no more; an app that failed at its start has not listened."""
        if self._waits:
            LOG.removeHandler(self._waits)

    @on(StoreWaits)
    def _say_wait(self, message: StoreWaits) -> None:
        text = in_screen_words(message.text)
        self.notify(text, severity="warning", timeout=LOCK_WAIT, markup=False)
