"""Worker of one judge on a server: queue, budget, circuit breaker, stored verdicts."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from steertui.analysis.judge_worth import measure_judge
from steertui.core.verdict import Verdict
from steertui.errors import JudgeError
from steertui.execution.control_reading import ControlReading, Reread
from steertui.execution.events import (
    Event,
    JudgeAsked,
    Judged,
    JudgeMeasured,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    JudgeWaiting,
)
from steertui.judge.price import Budget, estimate_tokens
from steertui.judge.request_format import RawReply, RequestFormat
from steertui.judge.server import KNOWN_CASE, KNOWN_LABEL, JudgeBusyError, ServerJudge
from steertui.planning.control_answers import REREAD_INTERVAL
from steertui.planning.judges import judge_case
from steertui.server.circuit_breaker import CircuitBreaker
from steertui.store import JudgeReply, Store, UnjudgedAnswer

BUDGET_POLL = 0.05
"""Seconds between two attempts to reserve the cost of a request."""

MAX_BUSY = 600.0
"""Seconds that a judge waits for a busy server before its first verdict."""

BUSY_BACKOFF = 10.0
"""Seconds between two attempts if a busy server names none."""

LONGEST_BUSY_BACKOFF = 120.0
"""Maximum seconds between two attempts, whatever a busy server asks for."""

RESERVE_FACTOR = 4 / 3
"""Reserved tokens per estimated token of a request."""


class JudgeRequester(Protocol):
    """Client of a judge's server, such as `judge.client.JudgeClient`."""

    judge: ServerJudge
    request_format: RequestFormat

    async def negotiate(self) -> list[RawReply]:
        """Probe with the known answer and return all replies; the last one has its label."""

    async def ask(self, system: str, user: str) -> RawReply:
        """Send one request."""


class JudgeWorker:
    """Requests verdicts for queued answers and stores each verdict before its event.

    The cost of a request is reserved from the shared budget before it is sent. The circuit breaker
    stops the judge if most of its replies are failures.
    """

    def __init__(
        self,
        client: JudgeRequester,
        store: Store,
        budget: Budget,
        publish: Callable[[Event], None],
        *,
        reading: ControlReading,
    ) -> None:
        self._client = client
        self._judge: ServerJudge = client.judge
        self._store = store
        self._budget = budget
        self._publish = publish
        self._reading = reading
        self._queue: asyncio.Queue[UnjudgedAnswer | Reread | None] = asyncio.Queue()
        self._breaker = CircuitBreaker()
        self._queued: set[str] = set()
        self._answers = 0
        self._done = 0
        self._failed = 0
        self._dollars: float | None = 0.0
        self._stop_reason = ""
        self._reserve_factor = RESERVE_FACTOR
        self._in_open_batches: set[str] = set()

    async def probe(self) -> None:
        """Judge the known answer; raise JudgeError if no label comes back."""
        self._publish(JudgeAsked(self._judge.name))
        replies = await self._negotiate()
        for reply in replies:
            dollars = self._judge.dollars(reply, full_price=True)
            exchange = self._exchange(reply, self._client.request_format.description, dollars)
            self._store.add_reply(self._judge.id, exchange)
            self._budget.settle(0.0, dollars or 0.0)
        reply = replies[-1]
        self._calibrate(reply, *self._judge.messages(KNOWN_CASE))
        verdict = self._judge.verdict(reply, 0.0)
        self._publish(
            JudgeReady(
                self._judge.name,
                self._client.request_format.description,
                is_correct=verdict.label is KNOWN_LABEL,
                failure=verdict.failure,
            )
        )
        for answer in self._reading.pending.values():
            self._queued.add(answer.key)
            self._queue.put_nowait(answer)

    async def _negotiate(self) -> list[RawReply]:
        """Return the replies of the negotiation; wait as long as a busy server asks.

        Raises JudgeError after `MAX_BUSY` seconds.
        """
        deadline = time.monotonic() + MAX_BUSY
        while True:
            try:
                return await self._client.negotiate()
            except JudgeBusyError as exc:
                seconds = min(exc.retry_after or BUSY_BACKOFF, LONGEST_BUSY_BACKOFF)
                if time.monotonic() + seconds > deadline:
                    raise
                self._publish(JudgeWaiting(self._judge.name, str(exc), seconds))
                await asyncio.sleep(seconds)

    def put(self, answer: UnjudgedAnswer | None) -> None:
        """Queue an answer, once, and control answers to be read again; None ends the queue."""
        if answer is None:
            if self._answers:
                self._put_rereads()
            self._queue.put_nowait(None)
        elif answer.key not in self._queued:
            if self._answers % REREAD_INTERVAL == 0 and (self._answers or self._reading.was_read):
                self._put_rereads()
            self._answers += 1
            self._queued.add(answer.key)
            self._queue.put_nowait(answer)

    def _put_rereads(self) -> None:
        for reread in self._reading.rereading():
            self._queue.put_nowait(reread)

    def stop(self, reason: str) -> None:
        """Send no more requests; replies in flight are still awaited and stored."""
        self._stop_reason = self._stop_reason or reason

    @property
    def _over_budget(self) -> str:
        return f"the next request could exceed --max-cost {self._budget.limit:g}"

    async def work(self, concurrency: int, /) -> None:
        """Judge until the queue has ended, leaving out answers that are in an open batch."""
        batches = self._store.pending_batches(self._judge.id)
        self._in_open_batches = {key for batch in batches for key in batch.keys}
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(self._request_queued())
        if self._in_open_batches & self._queued and not self._stop_reason:
            self.stop("the other answers are in an open batch; --judge-batch fetches its verdicts")
        self._publish_changes()
        self._publish_stop()

    def _publish_changes(self) -> None:
        """Publish what the judge is worth again if it changed labels of control answers."""
        worth = measure_judge(self._store, self._judge.id)
        if worth and worth.has_changed:
            self._publish(JudgeMeasured(self._judge.name, worth))

    def _publish_stop(self) -> None:
        if self._stop_reason:
            left = len(self._queued) - self._done
            self._publish(JudgeStopped(self._judge.name, self._stop_reason, left))

    async def _request_queued(self) -> None:
        while (item := await self._queue.get()) is not None:
            if self._stop_reason:
                continue
            if isinstance(item, Reread):
                await self._request(item.answer, is_reread=True)
            elif item.key not in self._in_open_batches:
                await self._request(item, is_reread=False)
        self._queue.put_nowait(None)  # ends the other tasks

    async def _request(self, answer: UnjudgedAnswer, *, is_reread: bool) -> None:
        system, user = self._judge.messages(judge_case(answer, hide_suffix=self._judge.hide_suffix))
        reserved = self._judge.max_dollars(system, user, self._reserve_factor)
        if not await self._reserve(reserved):
            return
        start = time.monotonic()
        cost = 0.0
        try:
            reply = await self._client.ask(system, user)
            cost = self._judge.dollars(reply) or 0.0
            self._calibrate(reply, system, user)
        except JudgeError as exc:
            self.stop(str(exc))
            return
        finally:
            self._budget.settle(reserved, cost)
        if is_reread:
            self._store_reread(answer.key, reply)
        else:
            self._store_verdict(answer.key, reply, time.monotonic() - start)

    async def _reserve(self, dollars: float) -> bool:
        """Reserve the cost of a request; return False if the judge stops instead.

        While requests are in flight it waits, since they mostly cost less than was reserved.
        """
        while not self._budget.reserve(dollars):
            if not self._budget.is_in_flight:
                self.stop(self._over_budget)
                return False
            await asyncio.sleep(BUDGET_POLL)
            if self._stop_reason:
                return False
        return True

    def _store_reread(self, key: str, reply: RawReply) -> None:
        exchange = self._exchange(
            reply, self._client.request_format.description, self._judge.dollars(reply)
        )
        self._store.add_reply(self._judge.id, exchange)
        label = self._judge.verdict(reply, 0.0).label
        if label:
            self._store.add_control_reread(self._judge.id, key, label)

    def _store_verdict(self, key: str, reply: RawReply, seconds: float) -> None:
        verdict = self._judge.verdict(reply, seconds)
        exchange = self._exchange(
            reply, self._client.request_format.description, self._judge.dollars(reply)
        )
        self._store.add_verdict(key, verdict, exchange)
        is_failure = verdict.label is None
        self._done += 1
        self._failed += is_failure
        self._breaker.note(failed=is_failure)
        self._publish_verdict(key, verdict)
        self._publish_progress()
        if self._breaker.is_open:
            self.stop(f"{self._breaker.summary}, the last: {verdict.failure or 'none'}")

    def _publish_verdict(self, key: str, verdict: Verdict) -> None:
        """Publish the verdict on an answer; after the last control answer, the judge's worth."""
        if self._reading.pending.pop(key, None) is None:
            self._publish(Judged(key, verdict))
        elif not self._reading.pending and (worth := measure_judge(self._store, self._judge.id)):
            self._publish(JudgeMeasured(self._judge.name, worth))

    def _publish_progress(self) -> None:
        self._publish(
            JudgeProgress(
                judge=self._judge.name,
                done=self._done,
                failed=self._failed,
                total=len(self._queued),
                dollars=self._dollars,
            )
        )

    def _calibrate(self, reply: RawReply, system: str, user: str) -> None:
        """Raise the reserve factor if the server counts more tokens than estimated."""
        counted = reply.input_tokens / estimate_tokens(system, user)
        self._reserve_factor = max(self._reserve_factor, RESERVE_FACTOR * counted)

    def _exchange(self, reply: RawReply, request_format: str, dollars: float | None) -> JudgeReply:
        """Return the record of a paid reply, and add its cost to the judge's total."""
        self._dollars = None if dollars is None else (self._dollars or 0.0) + dollars
        return JudgeReply(
            request_format=request_format,
            model=reply.model,
            request_id=reply.request,
            text=reply.text,
            input_tokens=reply.input_tokens,
            cached_tokens=reply.cached_tokens,
            output_tokens=reply.output_tokens,
            dollars=dollars,
        )
