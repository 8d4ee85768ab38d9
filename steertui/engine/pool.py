"""Pool of engines, one per device group, with a common queue."""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from multiprocessing.connection import wait
from pathlib import Path
from typing import Self

import numpy as np

from steertui.engine.context import ContextParams
from steertui.engine.engine_child import EngineJob
from steertui.engine.events import Capacity, EngineEvent, EngineLost, Snapshot, combine
from steertui.engine.scheduler import common_prefix
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.steering import UNSTEERED, Steering
from steertui.engine.supervisor import EngineDeadError, Supervisor

POLL_SECONDS = 0.25
"""Longest wait for a message in one step, so that the caller can stop in between."""

LOW_STOCK = 1 / 4
"""Queued requests per slot below which an engine gets more from the common queue."""

FULL_STOCK = 3 / 4
"""Queued requests per slot up to which it gets more.

With more, other engines would idle at the end. With fewer, prompts with a common prefix would be
split between engines.
"""

CUT_GRANULARITY = 32
"""Tokens; among cuts whose costs differ by less, the earlier one is chosen."""


class Pool:
    """Engines in child processes, with the interface of one engine.

    The queue is sorted by steering and tokens. Engines get chunks from its end, cut where
    neighbours share the shortest prefix, so that prompts with a common prefix meet in one engine.
    An engine gets a chunk when its stock runs low, and near the end no more than its share, so that
    all engines finish at the same time. A crash affects only one engine. An engine that cannot be
    restarted is given up, and its requests go to the others.

    A context manager: leaving it ends the child processes, loaded or not.
    """

    def __init__(
        self,
        model: Path,
        shapes: Sequence[ContextParams],
        steerings: Sequence[Steering] = (UNSTEERED,),
    ) -> None:
        """Start one engine per shape; they load the model at once.

        Requests refer to `steerings` by index; the first is unsteered.
        """
        self._queue: list[GenerateRequest | ScoreRequest] = []
        self._lost: list[Snapshot] = []
        self._events: list[EngineEvent] = []
        jobs = [EngineJob(model, shape, tuple(steerings)) for shape in shapes]
        self._supervisors = [Supervisor(job, i) for i, job in enumerate(jobs)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> Iterator[None]:
        """Wait until every engine has loaded the model, yielding a few times per second.

        Raises ModelError or EngineError if no engine can load it.
        """
        loading = list(self._supervisors)
        while loading:
            ready = wait([supervisor.pipe for supervisor in loading], POLL_SECONDS)
            for supervisor in [s for s in loading if s.pipe in ready]:
                self._events += self._receive(supervisor)
                loading.remove(supervisor)
            yield

    @property
    def capacity(self) -> Capacity:
        """Slots and KV caches of all engines together."""
        shapes = [supervisor.shape for supervisor in self._supervisors]
        return Capacity(
            slots=sum(s.slots for s in shapes),
            kv_cells=sum(s.slots * s.slot_tokens for s in shapes),
            kv_bytes=sum(s.slots * s.slot_tokens * s.cell_bytes for s in shapes),
        )

    @property
    def supervisors(self) -> tuple[Supervisor, ...]:
        """Supervisors of the engines that are not lost."""
        return tuple(self._supervisors)

    @property
    def pids(self) -> list[int]:
        """Process ids of the engines."""
        return [supervisor.pid for supervisor in self._supervisors]

    @property
    def unfinished(self) -> int:
        """Number of requests that are queued or in an engine."""
        return len(self._queue) + sum(len(s.requests) for s in self._supervisors)

    @property
    def is_idle(self) -> bool:
        """Whether every request is complete."""
        return not self.unfinished

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Queue a request.

        A follow-up with the id of a recent request goes to the same engine, whose KV cache may
        still hold the prompt.
        """
        for supervisor in self._supervisors:
            if request.id in supervisor.recent:
                supervisor.add(request)
                return
        insort(self._queue, request, key=_place)

    def step(self) -> list[EngineEvent]:
        """Send requests to the engines, wait for a message, and return the new events."""
        self._refill()
        for supervisor in self._supervisors:
            supervisor.send()
        ready = wait([supervisor.pipe for supervisor in self._supervisors], POLL_SECONDS)
        for supervisor in [s for s in self._supervisors if s.pipe in ready]:
            self._events += self._receive(supervisor)
        events = self._events
        self._events = []
        return events

    def _receive(self, supervisor: Supervisor) -> list[EngineEvent]:
        try:
            return supervisor.receive()
        except EngineDeadError as exc:
            return [self._give_up(supervisor, exc)]

    def _give_up(self, supervisor: Supervisor, error: EngineDeadError) -> EngineLost:
        """Continue without an engine; raise its error if it was the last one."""
        self._supervisors.remove(supervisor)
        self._lost.append(replace(supervisor.snapshot(), slots=(), waiting=0, used_cells=0))
        supervisor.close()
        if not self._supervisors:
            raise error
        for request in supervisor.requests.values():
            self.add(request)
        return EngineLost(str(error), supervisor.shape, len(self._supervisors))

    def _refill(self) -> None:
        """Give each engine whose stock is low a chunk of the queue."""
        total_slots = self.capacity.slots
        left = len(self._queue) + sum(s.load for s in self._supervisors)
        for supervisor in sorted(self._supervisors, key=lambda s: s.load / s.shape.slots):
            slots = supervisor.shape.slots
            low = max(1, int(LOW_STOCK * slots))
            full = max(1, int(FULL_STOCK * slots))
            share = ceil(left * slots / total_slots)
            if supervisor.load < slots + low:
                count = min(slots + full, share) - supervisor.load
                for request in self._take(count, slots // 2):
                    supervisor.add(request)

    def _take(self, count: int, extra: int) -> list[GenerateRequest | ScoreRequest]:
        """Remove `count` requests from the queue's end, or up to `extra` more for a better cut."""
        if count < 1 or not self._queue:
            return []
        cuts = range(count, min(count + extra, len(self._queue)) + 1)
        cut = min(cuts, key=self._cut_cost, default=len(self._queue))
        taken = self._queue[-cut:]
        del self._queue[-cut:]
        return taken

    def _cut_cost(self, count: int) -> int:
        """Return the prefix tokens that two engines would both prefill, in `CUT_GRANULARITY`."""
        if count >= len(self._queue):
            return 0
        requests = self._queue[-count], self._queue[-count - 1]
        if _place(requests[0])[0] != _place(requests[1])[0]:
            return 0
        first, previous = (np.asarray(request.prompt, np.int32) for request in requests)
        return common_prefix(first, previous) // CUT_GRANULARITY

    def snapshot(self) -> Snapshot:
        """Return the last snapshots of all engines as one; counters include restarts."""
        combined = combine([*(s.snapshot() for s in self._supervisors), *self._lost])
        return replace(combined, waiting=combined.waiting + len(self._queue))

    def suspend(self) -> None:
        """Suspend the engines' processes; their sequences stay in memory."""
        for supervisor in self._supervisors:
            supervisor.suspend()

    def resume(self) -> None:
        """Resume the engines' processes."""
        for supervisor in self._supervisors:
            supervisor.resume()

    def close(self) -> None:
        """End the engines' processes, which frees the devices' memory."""
        for supervisor in self._supervisors:
            supervisor.close()


def _place(request: GenerateRequest | ScoreRequest) -> tuple[int, list[int]]:
    """Return the sort key of the queue: requests of one steering are neighbours."""
    return request.steering, request.prompt
