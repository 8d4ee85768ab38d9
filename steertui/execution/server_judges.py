"""Judges on servers: a background thread that judges while models still generate."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack

from steertui.execution.background import BackgroundThread
from steertui.execution.control import RunControl
from steertui.execution.control_reading import ControlReading
from steertui.execution.events import Event
from steertui.execution.judge_worker import JudgeWorker
from steertui.judge.price import Budget
from steertui.judge.server import ServerJudge
from steertui.planning.judges import JudgeServerOptions
from steertui.store import Store, UnjudgedAnswer


class ServerJudges(BackgroundThread):
    """A thread with the connections to the judges, and one connection to the store.

    A verdict that was paid for is stored at once, whatever the rest of the program is doing.
    `wait_until_ready` raises JudgeError if a judge cannot be called.
    """

    NAME = "judges"

    def __init__(
        self,
        judges: Sequence[ServerJudge],
        store: Store,
        experiment: str,
        options: JudgeServerOptions,
        control: RunControl,
    ) -> None:
        super().__init__(control, idle=not judges)
        self._judges = judges
        self._reopen = store.reopen
        self._experiment = experiment
        self._options = options
        self._workers: dict[str, JudgeWorker] = {}

    def ask(self, answers: Iterable[tuple[str, UnjudgedAnswer]]) -> None:
        """Queue answers to be judged, each with the id of its judge."""
        for judge, answer in answers:
            self._call(self._put, judge, answer)

    def finish(self) -> Iterator[Event]:
        """Accept no more answers, and yield events until all are judged."""
        if not self._ended:
            self._call(self._put_last)
        yield from super().finish()

    # In the thread

    async def _main(self) -> None:
        budget = Budget(self._options.max_cost)
        async with AsyncExitStack() as stack:
            store = stack.enter_context(self._reopen())
            for judge in self._judges:
                worker = await self._connect(judge, store, budget, stack)
                self._workers[judge.id] = worker
                await worker.probe()
            self._ready.set()
            async with asyncio.TaskGroup() as group:
                for worker in self._workers.values():
                    group.create_task(worker.work(self._options.concurrency))

    async def _connect(
        self, judge: ServerJudge, store: Store, budget: Budget, stack: AsyncExitStack
    ) -> JudgeWorker:
        # Imported here, since the HTTP client takes long to import and few runs need it.
        from steertui.execution.judge_batches import BatchWorker
        from steertui.judge.batch import BatchClient
        from steertui.judge.client import JudgeClient, JudgeTimeouts

        options = self._options
        timeouts = JudgeTimeouts(options.concurrency, options.timeout, options.retries)
        publish = self._events.put
        reading = ControlReading(store, options.control_set, judge)
        if judge.in_batches:
            sender = await stack.enter_async_context(BatchClient(judge, timeouts))
            return BatchWorker(
                sender, store, budget, publish, reading=reading, experiment=self._experiment
            )
        client = await stack.enter_async_context(JudgeClient(judge, timeouts))
        return JudgeWorker(client, store, budget, publish, reading=reading)

    def _put(self, judge: str, answer: UnjudgedAnswer) -> None:
        self._workers[judge].put(answer)

    def _put_last(self) -> None:
        for worker in self._workers.values():
            worker.put(None)

    def _stop(self) -> None:
        for worker in self._workers.values():
            worker.stop("the run was stopped")
            worker.put(None)
