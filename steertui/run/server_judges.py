"""The judges behind servers at work, in a thread of their own while models answer."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack

from steertui.judge.price import Budget
from steertui.judge.server import ServerJudge
from steertui.planning.judges import JudgeServerOptions
from steertui.run.background import WAIT, BackgroundThread
from steertui.run.events import Event
from steertui.run.judge_worker import JudgeWorker
from steertui.store import Store, UnjudgedAnswer


class ServerJudges(BackgroundThread):
    """A thread with the judges' connections and one to the store: a verdict that was paid for is
    stored at once, whatever the rest of the program is doing.
    """

    NAME = "judges"

    def __init__(
        self,
        judges: Sequence[ServerJudge],
        store: Store,
        experiment: str,
        terms: JudgeServerOptions,
    ) -> None:
        super().__init__(idle=not judges)
        self._judges, self._db, self._terms = judges, store.path, terms
        self._experiment = experiment
        self._readings: dict[str, JudgeWorker] = {}

    def open(self) -> Iterator[Event]:
        """Yield what is told until every judge has answered the known question.

        Raises JudgeError where one cannot be asked.
        """
        while not self._over and not self._ready.is_set():
            yield from self._hear(WAIT)
        yield from self.news()

    def ask(self, answers: Iterable[tuple[str, UnjudgedAnswer]]) -> None:
        """Put questions, each with its judge's id."""
        for judge, answer in answers:
            self._call(self._put, judge, answer)

    def finish(self) -> Iterator[Event]:
        """Say that no more questions come, and yield what is told until all are answered."""
        if not self._over:
            self._call(self._put_last)
        yield from super().finish()

    # What follows runs in the thread.

    async def _main(self) -> None:
        from steertui.judge.batch import BatchClient
        from steertui.judge.client import JudgeClient, JudgeTimeouts
        from steertui.run.judge_batches import BatchWorker

        t = self._terms
        patience = JudgeTimeouts(t.concurrency, t.timeout, t.retries)
        budget = Budget(t.max_cost)
        async with AsyncExitStack() as stack:
            store = stack.enter_context(Store(self._db))
            for judge in self._judges:
                if judge.in_batches:
                    sender = await stack.enter_async_context(BatchClient(judge, patience))
                    told = sender, store, budget, self._news.put, self._experiment
                    reading: JudgeWorker = BatchWorker(*told)
                else:
                    client = await stack.enter_async_context(JudgeClient(judge, patience))
                    reading = JudgeWorker(client, store, budget, self._news.put)
                self._readings[judge.id] = reading
                await reading.open()
            self._ready.set()
            async with asyncio.TaskGroup() as group:
                for reading in self._readings.values():
                    group.create_task(reading.work(t.concurrency))

    def _put(self, judge: str, answer: UnjudgedAnswer) -> None:
        self._readings[judge].put(answer)

    def _put_last(self) -> None:
        for reading in self._readings.values():
            reading.put(None)

    def _stop(self) -> None:
        for reading in self._readings.values():
            reading.stop("asked to stop")
            reading.put(None)
