"""The judges behind servers at work, in a thread of their own while models answer."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self

from steertui.judge.price import Budget
from steertui.judge.server import ServerJudge
from steertui.panel import Terms
from steertui.run.events import Event
from steertui.run.reading import Reading
from steertui.store import Store, Unjudged

GRACE = 3.0
"""Seconds that a stop waits for replies in flight: they are paid for."""

WAIT = 0.25


class Asking:
    """A thread with the judges' connections and one to the store: a verdict that was paid for is
    stored at once, whatever the rest of the program is doing.

    A context manager; leaving it asks nothing more and waits a moment for what is in flight.
    """

    def __init__(self, judges: Sequence[ServerJudge], db: Path, terms: Terms) -> None:
        self._judges, self._db, self._terms = judges, db, terms
        self._news: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began, self._ready = threading.Event(), threading.Event()
        self._readings: dict[str, Reading] = {}
        self._over = not judges
        self._thread = threading.Thread(target=self._work, name="judges", daemon=True)

    def __enter__(self) -> Self:
        if self._judges:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._began.wait()
            self._call(self._halt)
            self._thread.join()

    def open(self) -> Iterator[Event]:
        """Yield what is told until every judge has answered the known question.

        Raises JudgeError where one cannot be asked.
        """
        while not self._over and not self._ready.is_set():
            yield from self._hear(WAIT)
        yield from self.news()

    def ask(self, answers: Iterable[tuple[str, Unjudged]]) -> None:
        """Put questions, each with its judge's id."""
        for judge, answer in answers:
            self._call(self._put, judge, answer)

    def news(self) -> Iterator[Event]:
        """Yield what was told since the last time; raises what ended the thread."""
        while not self._news.empty():
            yield from self._hear(0)

    def finish(self) -> Iterator[Event]:
        """Say that no more questions come, and yield what is told until all are answered."""
        if not self._over:
            self._call(self._put_last)
        while not self._over:
            yield from self._hear(WAIT)

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
                asyncio.run(self._main())
            self._news.put(None)
        except BaseExceptionGroup as group:
            self._news.put(_first(group))
        except BaseException as exc:
            self._news.put(exc)
        finally:
            self._began.set()
            self._ready.set()

    async def _main(self) -> None:
        from steertui.judge.openai import Client, Patience

        t = self._terms
        patience = Patience(t.concurrency, t.timeout, t.retries)
        budget = Budget(t.max_cost)
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._began.set()
        async with AsyncExitStack() as stack:
            store = stack.enter_context(Store(self._db))
            for judge in self._judges:
                client = await stack.enter_async_context(Client(judge, patience))
                reading = Reading(client, store, budget, self._news.put)
                self._readings[judge.id] = reading
                await reading.open()
            self._ready.set()
            async with asyncio.TaskGroup() as group:
                for reading in self._readings.values():
                    group.create_task(reading.work(t.concurrency))

    def _put(self, judge: str, answer: Unjudged) -> None:
        self._readings[judge].put(answer)

    def _put_last(self) -> None:
        for reading in self._readings.values():
            reading.put(None)

    def _halt(self) -> None:
        assert self._task
        for reading in self._readings.values():
            reading.stop("asked to stop")
            reading.put(None)
        # Before the known answer has come nothing is paid for that would be lost.
        wait = GRACE if self._ready.is_set() else 0.0
        asyncio.get_running_loop().call_later(wait, self._task.cancel)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
