"""Worker of one judge through the Batch API; an interrupted run never sends a request twice."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from steertui.core.verdict import Verdict
from steertui.execution.control_reading import ControlReading, Reread
from steertui.execution.events import BatchProgress, Event
from steertui.execution.judge_worker import JudgeWorker
from steertui.judge.batch import BatchClient, BatchState
from steertui.judge.price import Budget
from steertui.judge.request_format import RawReply, RequestFormat
from steertui.planning.judges import judge_case
from steertui.server.reply import InvalidReply
from steertui.store import Batch, JudgeReply, Store, UnjudgedAnswer

MAX_REQUESTS = 50_000
"""Requests per batch; OpenAI's limit."""

MAX_BYTES = 190_000_000
"""Bytes of requests per batch; OpenAI's limit is 200 MB."""

UNLISTED_SECONDS = 20.0
"""Age in seconds after which a batch that the server does not list was never started.

A request in flight when the program ended may reach the server a moment later.
"""

CLOCK_TOLERANCE = 3600
"""Seconds by which the server's clock may be behind when its batches are searched."""

FIRST_POLL = 0.5
"""Seconds before the first look at a batch; each further wait is half as long again."""

LONGEST_POLL = 60.0
"""Longest wait between two looks at a batch, in seconds."""

MAX_INVALID_POLLS = 8
"""Replies in a row without a batch's state after which the judge stops; they take 16 seconds."""


class BatchWorker(JudgeWorker):
    """Collects requests, sends them in batches, and fetches the replies.

    A batch is stored with the keys of its trials before it is sent, and has a metadata mark at the
    server. When a run starts, every batch without stored replies is looked up: by the server's
    batch id, or by the mark if the id was never received.
    """

    _client: BatchClient

    def __init__(
        self,
        client: BatchClient,
        store: Store,
        budget: Budget,
        publish: Callable[[Event], None],
        *,
        reading: ControlReading,
        experiment: str,
    ) -> None:
        super().__init__(client, store, budget, publish, reading=reading)
        self._experiment = experiment
        self._halted = asyncio.Event()
        self._published: dict[str, tuple[str, int]] = {}

    def stop(self, reason: str) -> None:
        """Send no more batches and stop waiting; batches that were sent continue at the server."""
        super().stop(reason)
        self._halted.set()

    async def work(self, _: int, /) -> None:
        """Look up earlier batches, send the queued requests, and wait for all replies."""
        planned = self._store.pending_batches(self._judge.id)
        batches = [b for b in [await self._find(batch) for batch in planned] if b]
        sent = {key for batch in batches for key in batch.keys}
        answers = []
        while (item := await self._queue.get()) is not None:
            # A batch is read at one time: rereading its control answers would show no change.
            if not isinstance(item, Reread) and item.key not in sent:
                answers.append(item)
        self._queued |= sent
        for lines in self._split(answers):
            if not self._halted.is_set():
                batches.append(await self._send(lines))
        async with asyncio.TaskGroup() as group:
            for batch in batches:
                group.create_task(self._poll(batch))
        self._publish_stop()

    async def _find(self, batch: Batch) -> Batch | None:
        """Return an earlier batch with its server id; None if it was never started."""
        while not batch.id:
            state = await self._client.find(batch.mark, batch.planned_at - CLOCK_TOLERANCE)
            if state:
                self._store.set_batch_sent(batch.mark, state.id)
                return replace(batch, id=state.id)
            if time.time() - batch.planned_at > UNLISTED_SECONDS:
                self._store.set_batch_unsent(batch.mark)
                return None
            if await self._wait_halted(1.0):
                return None
        return batch

    def _split(self, answers: Sequence[UnjudgedAnswer]) -> list[dict[str, bytes]]:
        """Return the requests within the budget, split by the limits of a batch."""
        parts: list[dict[str, bytes]] = [{}]
        size = 0
        for answer in answers:
            texts = self._judge.messages(judge_case(answer, hide_suffix=self._judge.hide_suffix))
            if not self._budget.reserve(self._judge.max_dollars(*texts, self._reserve_factor)):
                super().stop(self._over_budget)  # requests within the budget are still sent
                break
            line = self._client.line(answer.key, *texts)
            size += len(line)
            if len(parts[-1]) == MAX_REQUESTS or size > MAX_BYTES:
                parts.append({})
                size = len(line)
            parts[-1][answer.key] = line
        return [part for part in parts if part]

    async def _send(self, lines: dict[str, bytes]) -> Batch:
        batch = Batch(
            mark=uuid.uuid4().hex,
            id="",
            api=self._client.request_format.api,
            request_format=f"Batch API, {self._client.request_format.description}",
            keys=tuple(lines),
            planned_at=time.time(),
        )
        self._store.add_batch(
            batch.mark,
            self._judge.id,
            self._experiment,
            api=batch.api,
            request_format=batch.request_format,
            keys=batch.keys,
        )
        state = await self._client.send(batch.mark, lines.values())
        self._store.set_batch_sent(batch.mark, state.id)
        return replace(batch, id=state.id)

    async def _poll(self, batch: Batch) -> None:
        """Look at a batch until it has ended, then store all of its replies."""
        seconds = FIRST_POLL
        invalid = 0
        while not self._halted.is_set():
            state = None
            try:
                state = await self._client.poll(batch.id)
                invalid = 0
            except InvalidReply as exc:
                invalid += 1
                if invalid == MAX_INVALID_POLLS:
                    self.stop(
                        f"{invalid} replies in a row do not give the state of its batch "
                        f"({exc.reason}); the batch continues there, try again"
                    )
            if state:
                self._publish_batch(state)
            if state and state.is_final:
                await self._store_replies(batch, state)
                return
            await self._wait_halted(seconds)
            seconds = min(seconds * 1.5, LONGEST_POLL)

    def _publish_batch(self, state: BatchState) -> None:
        current = (state.status, state.done)
        if self._published.get(state.id) != current:
            self._published[state.id] = current
            name = self._judge.name
            self._publish(
                BatchProgress(name, state.id, state.status, done=state.done, total=state.total)
            )

    async def _store_replies(self, batch: Batch, state: BatchState) -> None:
        request_format = RequestFormat(
            api="responses" if batch.api == "responses" else "chat",
            has_schema=True,
            is_openai=self._judge.is_openai,
        )
        replies = await self._client.fetch(state, request_format)
        results = [self._read(batch, key, replies.get(key), state) for key in batch.keys]
        self._store.add_batch_results(batch.mark, state.status, state.error, results)
        for key, verdict, _ in results:
            self._done += 1
            self._failed += verdict.label is None
            self._publish_verdict(key, verdict)
        self._publish_progress()
        if state.status == "failed":
            super().stop(f"the server rejected the batch ({state.error or 'no reason given'})")

    def _read(
        self, batch: Batch, key: str, reply: RawReply | None, state: BatchState
    ) -> tuple[str, Verdict, JudgeReply | None]:
        if reply is None:
            reason = f": {state.error}" if state.error else ""
            failure = f"the batch was {state.status} without a reply to this request{reason}"
            return key, Verdict(self._judge.id, None, failure), None
        verdict = self._judge.verdict(reply, 0.0)
        dollars = self._judge.dollars(reply)
        self._budget.settle(0.0, dollars or 0.0)
        return key, verdict, self._exchange(reply, batch.request_format, dollars)

    async def _wait_halted(self, seconds: float) -> bool:
        """Wait, at most `seconds`; return whether the worker was stopped."""
        try:
            await asyncio.wait_for(self._halted.wait(), seconds)
        except TimeoutError:
            return False
        return True
