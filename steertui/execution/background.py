"""Background threads, each with an event loop; the run collects their events between steps."""

import asyncio
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Self

from steertui.execution.control import RunControl
from steertui.execution.events import Event

STOP_GRACE = 3.0
"""Seconds to wait for replies in flight when the thread is stopped; they are already paid for."""

OPEN_POLL = 0.25
"""Seconds to wait for one event while the thread opens its connections."""

FINISH_POLL = 0.05
"""Seconds between two looks at the queue. Waking up for every event would slow the thread down."""


class BackgroundThread(ABC):
    """A thread that works beside the run and queues events.

    A context manager: entering it starts the thread; leaving it stops new requests, waits
    `STOP_GRACE` seconds for those in flight, and joins the thread.

    Methods and attributes below the line "In the thread" are used by the thread only.
    """

    NAME = ""

    def __init__(self, control: RunControl, *, idle: bool) -> None:
        """Prepare the thread; an `idle` one has no work and is never started."""
        self._control = control
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._started = threading.Event()
        self._ready = threading.Event()
        self._idle = idle
        self._ended = idle
        self._thread = threading.Thread(target=self._run_loop, name=self.NAME, daemon=True)

    def __enter__(self) -> Self:
        if not self._idle:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._started.wait()
            self._call(self._halt)
            self._thread.join()

    def new_events(self) -> Iterator[Event]:
        """Yield the events since the last call; raise the exception that ended the thread."""
        while not self._events.empty():
            yield from self._next_event(0)

    def finish(self) -> Iterator[Event]:
        """Yield events until all work is done or the run is stopped."""
        while not self._ended and not self._control.is_stopped:
            time.sleep(FINISH_POLL)
            yield from self.new_events()

    def wait_until_ready(self) -> Iterator[Event]:
        """Yield events until the thread has opened its connections or has ended."""
        while not (self._ended or self._ready.is_set() or self._control.is_stopped):
            yield from self._next_event(OPEN_POLL)
        yield from self.new_events()

    def _next_event(self, seconds: float) -> Iterator[Event]:
        try:
            event = self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            return
        if event is None:
            self._ended = True
        elif isinstance(event, BaseException):
            self._ended = True
            raise event
        else:
            yield event

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Call a function in the thread's event loop, if the loop is running."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    # In the thread

    def _run_loop(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                asyncio.run(self._start())
            self._events.put(None)
        except BaseExceptionGroup as group:
            self._events.put(_first(group))
        except BaseException as exc:
            self._events.put(exc)
        finally:
            self._started.set()
            self._ready.set()

    async def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._started.set()
        await self._main()

    @abstractmethod
    async def _main(self) -> None:
        """Do the work and put its events into `_events`."""

    @abstractmethod
    def _stop(self) -> None:
        """Send no more requests."""

    def _halt(self) -> None:
        assert self._task
        self._stop()
        # Before the connections are open no paid request is in flight.
        grace = STOP_GRACE if self._ready.is_set() else 0.0
        asyncio.get_running_loop().call_later(grace, self._task.cancel)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first exception of a group, nested groups unpacked."""
    exception: BaseException = group
    while isinstance(exception, BaseExceptionGroup):
        exception = exception.exceptions[0]
    return exception
