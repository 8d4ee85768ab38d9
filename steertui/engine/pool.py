"""The Pool: an engine on each device, one queue; `add` requests, `step` until it is idle."""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from multiprocessing.connection import wait
from pathlib import Path
from typing import Self

import numpy as np

from steertui.engine.context import ContextParams
from steertui.engine.events import EngineEvent, EngineLost, Snapshot, total
from steertui.engine.scheduler import common
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.supervisor import EngineDeadError, Supervisor

WAIT = 0.25
"""Seconds a step waits for news, so that a wish to stop is heard."""

LOW, FULL = 4, 3
"""An engine's stock, beside the sequences in its slots: it gets more below a quarter of its slots,
up to three quarters. More would leave the others idle at the end, less would cut families."""


ROUND = 32
"""Tokens; an earlier cut is better than one that saves less than that."""


class Pool:
    """Engines in child processes, with the verbs of one; a death of one costs the others nothing.

    The queue is kept in the tokens' own order, and dealt from its end in chunks that are cut
    where neighbours share least, so that what shares a prefix meets in one engine. An engine gets
    a chunk when its stock runs low, and at the end no more than its share, so all end together.
    One that cannot be revived is given up, and its requests go to the others.

    A context manager: leaving it ends the children, loaded or not.
    """

    def __init__(self, model: Path, shapes: Sequence[ContextParams]) -> None:
        self._queue: list[GenerateRequest | ScoreRequest] = []
        self._lost: list[Snapshot] = []
        self._news: list[EngineEvent] = []
        self._workers = [Supervisor(model, shape, i) for i, shape in enumerate(shapes)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> Iterator[None]:
        """Wait until every model is loaded, giving way a few times a second.

        Raises ModelError or EngineError where none can be.
        """
        waiting = list(self._workers)
        while waiting:
            ready = wait([worker.pipe for worker in waiting], WAIT)
            for worker in [w for w in waiting if w.pipe in ready]:
                self._news += self._hear(worker)
                waiting.remove(worker)
            yield

    @property
    def slots(self) -> int:
        """Sequences at once, on all devices together."""
        return sum(worker.shape.slots for worker in self._workers)

    @property
    def kv_cells(self) -> int:
        """Cells of all KV caches together."""
        return sum(w.shape.slots * w.shape.slot_tokens for w in self._workers)

    @property
    def kv_bytes(self) -> int:
        """Bytes of all KV caches together; 0 where nobody reckoned a cell's."""
        return sum(w.shape.slots * w.shape.slot_tokens * w.shape.cell_bytes for w in self._workers)

    @property
    def pids(self) -> list[int]:
        """The children's process ids."""
        return [worker.pid for worker in self._workers]

    @property
    def unfinished(self) -> int:
        """How many requests wait or are at work."""
        return len(self._queue) + sum(len(worker.requests) for worker in self._workers)

    @property
    def is_idle(self) -> bool:
        """Whether every request was answered."""
        return not self.unfinished

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Queue a request; one whose id was just answered goes where its prompt still lies."""
        for worker in self._workers:
            if request.id in worker.recent:
                worker.add(request)
                return
        insort(self._queue, request, key=lambda r: r.prompt)

    def step(self) -> list[EngineEvent]:
        """Deal what may go, wait a moment for news, return them."""
        self._deal()
        for worker in self._workers:
            worker.send()
        ready = wait([worker.pipe for worker in self._workers], WAIT)
        for worker in [w for w in self._workers if w.pipe in ready]:
            self._news += self._hear(worker)
        news, self._news = self._news, []
        return news

    def _hear(self, worker: Supervisor) -> list[EngineEvent]:
        try:
            return worker.hear()
        except EngineDeadError as exc:
            return [self._give_up(worker, exc)]

    def _give_up(self, worker: Supervisor, reason: EngineDeadError) -> EngineLost:
        """Go on without an engine; raises its error where it was the last."""
        self._workers.remove(worker)
        self._lost.append(replace(worker.snapshot(), slots=(), waiting=0, cells=0))
        worker.close()
        if not self._workers:
            raise reason
        for request in worker.requests.values():
            self.add(request)
        return EngineLost(str(reason), worker.shape, len(self._workers))

    def _deal(self) -> None:
        """Give whoever runs low a chunk of the queue."""
        total_slots, todo = self.slots, len(self._queue) + sum(w.busy for w in self._workers)
        for worker in sorted(self._workers, key=lambda w: w.busy / w.shape.slots):
            slots = worker.shape.slots
            low, full = max(1, slots // LOW), max(1, FULL * slots // LOW)
            share = ceil(todo * slots / total_slots)
            if worker.busy < slots + low:
                for request in self._take(min(slots + full, share) - worker.busy, slots // 2):
                    worker.add(request)

    def _take(self, count: int, more: int) -> list[GenerateRequest | ScoreRequest]:
        """Return so many requests from the queue's end, or up to `more` for a better cut."""
        if count < 1 or not self._queue:
            return []
        cuts = range(count, min(count + more, len(self._queue)) + 1)
        cut = min(cuts, key=self._cost_of_cut, default=len(self._queue))
        taken = self._queue[-cut:]
        del self._queue[-cut:]
        return taken

    def _cost_of_cut(self, count: int) -> int:
        """Return how many tokens two engines would compute both, in units that matter."""
        if count >= len(self._queue):
            return 0
        a, b = (np.asarray(self._queue[-count - i].prompt, np.int32) for i in (0, 1))
        return common(a, b) // ROUND

    def snapshot(self) -> Snapshot:
        """Return what all engines last told; counts are since the start, deaths included."""
        told = total([*(w.snapshot() for w in self._workers), *self._lost])
        return replace(told, waiting=told.waiting + len(self._queue))

    def suspend(self) -> None:
        """Hold every engine still; what is half written stays in it."""
        for worker in self._workers:
            worker.suspend()

    def resume(self) -> None:
        """Let them go on."""
        for worker in self._workers:
            worker.resume()

    def close(self) -> None:
        """End the children, and with them free the devices' memory."""
        for worker in self._workers:
            worker.close()
