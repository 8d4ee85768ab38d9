"""An Aside: a thread with an event loop of its own, whose news the run hears when it has time."""

import asyncio
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Self

from steertui.run.events import Event

GRACE = 3.0
"""Seconds that a stop waits for replies in flight: they are paid for."""

WAIT = 0.25

PAUSE = 0.05
"""Seconds between two looks at the news: to be woken for each costs the thread its turn."""


class BackgroundThread(ABC):
    """Work beside the run's own. A context manager; leaving it begins nothing more and waits a
    moment for what is in flight."""

    NAME = ""

    def __init__(self, *, idle: bool) -> None:
        self._news: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._began, self._ready = threading.Event(), threading.Event()
        self._idle = self._over = idle
        self._thread = threading.Thread(target=self._work, name=self.NAME, daemon=True)

    def __enter__(self) -> Self:
        if not self._idle:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._began.wait()
            self._call(self._halt)
            self._thread.join()

    def news(self) -> Iterator[Event]:
        """Yield what was told since the last time; raises what ended the thread."""
        while not self._news.empty():
            yield from self._hear(0)

    def finish(self) -> Iterator[Event]:
        """Yield what is told until all is done."""
        while not self._over:
            time.sleep(PAUSE)
            yield from self.news()

    def _hear(self, seconds: float) -> Iterator[Event]:
        try:
            told = self._news.get(timeout=seconds) if seconds else self._news.get_nowait()
        except queue.Empty:
            return
        if told is None:
            self._over = True
        elif isinstance(told, BaseException):
            self._over = True
            raise told
        else:
            yield told

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    # What follows runs in the thread.

    def _work(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                asyncio.run(self._begin())
            self._news.put(None)
        except BaseExceptionGroup as group:
            self._news.put(_first(group))
        except BaseException as exc:
            self._news.put(exc)
        finally:
            self._began.set()
            self._ready.set()

    async def _begin(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._began.set()
        await self._main()

    @abstractmethod
    async def _main(self) -> None:
        """Do the work; what it tells goes into `_news`."""

    @abstractmethod
    def _stop(self) -> None:
        """Begin nothing more."""

    def _halt(self) -> None:
        assert self._task
        self._stop()
        # Before it is ready nothing is paid for that would be lost.
        wait = GRACE if self._ready.is_set() else 0.0
        asyncio.get_running_loop().call_later(wait, self._task.cancel)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
