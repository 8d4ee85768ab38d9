"""One judge behind a server at work: its questions, its failures, what it cost."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from steertui.errors import JudgeError
from steertui.judge.price import Budget, estimate_tokens
from steertui.judge.request_format import RawReply, RequestFormat
from steertui.judge.server import KNOWN_CASE, KNOWN_LABEL, ServerJudge
from steertui.planning.judges import judge_case
from steertui.run.events import Event, Judged, JudgeProgress, JudgeReady, JudgeStopped
from steertui.server.circuit_breaker import CircuitBreaker
from steertui.store import JudgeReply, Store, UnjudgedAnswer

PAUSE = 0.05

SPARE = 4 / 3
"""Of the tokens estimated, what is set aside for a question."""


class Asker(Protocol):
    """What asks a judge's server; judge.asker has the only one."""

    judge: ServerJudge
    request_format: RequestFormat

    async def negotiate(self) -> list[RawReply]:
        """Ask the known answer; its label comes last."""

    async def ask(self, system: str, user: str) -> RawReply:
        """Ask one question."""


class JudgeWorker:
    """Asks a judge about answers as they come, and stores each verdict before it is told."""

    def __init__(
        self, client: Asker, store: Store, budget: Budget, tell: Callable[[Event], None]
    ) -> None:
        self._client, self._store, self._budget, self._tell = client, store, budget, tell
        self._judge: ServerJudge = client.judge
        self._queue: asyncio.Queue[UnjudgedAnswer | None] = asyncio.Queue()
        self._breaker = CircuitBreaker()
        self._put: set[str] = set()
        self._done = self._failed = 0
        self._dollars: float | None = 0.0
        self._stopped = ""
        self._factor = SPARE
        self._elsewhere: set[str] = set()

    async def open(self) -> None:
        """Ask the known answer; raises JudgeError where no label comes."""
        replies = await self._client.negotiate()
        for reply in replies:
            dollars = self._judge.dollars(reply, at_once=True)
            exchange = self._exchange(reply, self._client.request_format.description, dollars)
            self._store.add_exchange(self._judge.id, exchange)
            self._budget.settle(0.0, dollars or 0.0)
        reply = replies[-1]
        self._learn(reply, *self._judge.messages(KNOWN_CASE))
        right = self._judge.verdict(reply, 0.0).label is KNOWN_LABEL
        self._tell(JudgeReady(self._judge.name, self._client.request_format.description, right))

    def put(self, answer: UnjudgedAnswer | None) -> None:
        """Queue a question, once; None says that no more will come."""
        if answer is None or answer.key not in self._put:
            if answer:
                self._put.add(answer.key)
            self._queue.put_nowait(answer)

    def stop(self, reason: str) -> None:
        """Ask nothing more; what is in flight is still awaited and stored."""
        self._stopped = self._stopped or reason

    @property
    def _over_budget(self) -> str:
        return f"the next question could go over --max-cost {self._budget.ceiling:g}"

    async def work(self, concurrency: int, /) -> None:
        """Ask until the last question was put and answered, but for those in an open batch."""
        batches = self._store.open_batches(self._judge.id)
        self._elsewhere = {key for batch in batches for key in batch.keys}
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(self._worker())
        if self._elsewhere & self._put and not self._stopped:
            self.stop("the rest is in a batch under way at the server; --judge-batch fetches it")
        self._end()

    def _end(self) -> None:
        if self._stopped:
            left = len(self._put) - self._done
            self._tell(JudgeStopped(self._judge.name, self._stopped, left))

    async def _worker(self) -> None:
        while (answer := await self._queue.get()) is not None:
            if not self._stopped and answer.key not in self._elsewhere:
                await self._ask(answer)
        self._queue.put_nowait(None)  # for the next worker

    async def _ask(self, answer: UnjudgedAnswer) -> None:
        system, user = self._judge.messages(judge_case(answer, blind=self._judge.blind))
        most = self._judge.most_dollars(system, user, self._factor)
        while not self._budget.reserve(most):
            if not self._budget.is_in_flight:
                self.stop(self._over_budget)
                return
            await asyncio.sleep(PAUSE)  # what is in flight mostly costs less than was set aside
            if self._stopped:
                return
        begin, cost = time.monotonic(), 0.0
        try:
            reply = await self._client.ask(system, user)
            cost = self._judge.dollars(reply) or 0.0
            self._learn(reply, system, user)
        except JudgeError as exc:
            self.stop(str(exc))
            return
        finally:
            self._budget.settle(most, cost)
        self._keep(answer.key, reply, time.monotonic() - begin)

    def _keep(self, key: str, reply: RawReply, seconds: float) -> None:
        verdict = self._judge.verdict(reply, seconds)
        exchange = self._exchange(
            reply, self._client.request_format.description, self._judge.dollars(reply)
        )
        self._store.add_verdict(key, verdict, exchange)
        failed = verdict.label is None
        self._done, self._failed = self._done + 1, self._failed + failed
        self._breaker.note(failed=failed)
        self._tell(Judged(key, verdict))
        put = len(self._put)
        self._tell(JudgeProgress(self._judge.name, self._done, self._failed, put, self._dollars))
        if self._breaker.is_open:
            self.stop(f"{self._breaker.summary}, the last: {verdict.failure or 'none'}")

    def _learn(self, reply: RawReply, system: str, user: str) -> None:
        """Set aside more for a question where the server counts more tokens than estimated."""
        self._factor = max(self._factor, SPARE * reply.input_tokens / estimate_tokens(system, user))

    def _exchange(self, reply: RawReply, way: str, dollars: float | None) -> JudgeReply:
        r = reply
        self._dollars = None if dollars is None else (self._dollars or 0.0) + dollars
        counts = r.input_tokens, r.cached_tokens, r.output_tokens, dollars
        return JudgeReply(way, r.model, r.request, r.text, *counts)
