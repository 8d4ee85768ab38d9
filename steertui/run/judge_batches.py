"""One judge asked through the Batch API: nothing is sent twice, whatever stops this program."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence

from steertui.core.verdict import Verdict
from steertui.judge.batch import BatchClient, BatchState
from steertui.judge.price import Budget
from steertui.judge.request_format import RawReply, RequestFormat
from steertui.planning.judges import judge_case
from steertui.run.events import BatchProgress, Event, Judged, JudgeProgress
from steertui.run.judge_worker import JudgeWorker
from steertui.store import Batch, JudgeReply, Store, UnjudgedAnswer

MOST_QUESTIONS, MOST_BYTES = 50_000, 190_000_000
"""Of one batch: OpenAI takes 50,000 and 200 MB."""

SETTLE = 20.0
"""Seconds after which a batch that the server does not list was never started: a request that was
under way when this program died may still have arrived a moment later."""

FIRST_LOOK, LAST_LOOK = 0.5, 60.0
"""Seconds between two looks at a batch, growing from the first to the last."""


class BatchWorker(JudgeWorker):
    """Collects questions, sends them in batches, and fetches what comes back.

    A batch is written down, with the keys of its trials, before it is sent, and bears a mark at
    the server, too. Whenever this starts again, batches whose replies were not stored are looked
    for there: by the server's name for them, or by the mark where the name was never heard.
    """

    _client: BatchClient

    def __init__(
        self,
        client: BatchClient,
        store: Store,
        budget: Budget,
        tell: Callable[[Event], None],
        experiment: str,
    ) -> None:
        super().__init__(client, store, budget, tell)
        self._experiment = experiment
        self._halted = asyncio.Event()
        self._last: dict[str, tuple[str, int]] = {}

    def stop(self, reason: str) -> None:
        """Send nothing more, and wait no longer; what was sent goes on at the server."""
        super().stop(reason)
        self._halted.set()

    async def work(self, _: int, /) -> None:
        """Fetch what was sent before, send what is asked, wait for the replies."""
        waiting = self._store.open_batches(self._judge.id)
        found = [b for b in [await self._found(batch) for batch in waiting] if b]
        sent = {key for batch in found for key in batch.keys}
        answers = []
        while (answer := await self._queue.get()) is not None:
            if answer.key not in sent:
                answers.append(answer)
        for batch in found:
            self._put.update(batch.keys)
        for lines in self._portions(answers):
            if not self._halted.is_set():
                found.append(await self._send(lines))
        async with asyncio.TaskGroup() as group:
            for batch in found:
                group.create_task(self._await(batch))
        self._end()

    async def _found(self, batch: Batch) -> Batch | None:
        """Return a batch of an earlier run by the server's name; None if it was never started."""
        while not batch.id:
            state = await self._client.find(batch.mark, batch.begun - 3600)
            if state:
                self._store.name_batch(batch.mark, state.id)
                return _named(batch, state)
            if time.time() - batch.begun > SETTLE:
                self._store.drop_batch(batch.mark)
                return None
            if await self._pause(1.0):
                return None
        return batch

    def _portions(self, answers: Sequence[UnjudgedAnswer]) -> list[dict[str, bytes]]:
        """Return the questions' lines in portions that a batch may hold, as far as money goes."""
        portions: list[dict[str, bytes]] = [{}]
        size = 0
        for answer in answers:
            texts = self._judge.messages(judge_case(answer, blind=self._judge.blind))
            if not self._budget.reserve(self._judge.most_dollars(*texts, self._factor)):
                super().stop(self._over_budget)  # what is within it is sent
                break
            line = self._client.line(answer.key, *texts)
            size += len(line)
            if len(portions[-1]) == MOST_QUESTIONS or size > MOST_BYTES:
                portions.append({})
                size = len(line)
            portions[-1][answer.key] = line
        return [portion for portion in portions if portion]

    async def _send(self, lines: dict[str, bytes]) -> Batch:
        mark, way = uuid.uuid4().hex, self._client.request_format
        words, keys = f"Batch API, {way.description}", tuple(lines)
        self._store.plan_batch(mark, self._judge.id, self._experiment, way.api, words, keys)
        state = await self._client.send(mark, lines.values())
        self._store.name_batch(mark, state.id)
        return Batch(mark, state.id, way.api, words, keys, time.time())

    async def _await(self, batch: Batch) -> None:
        """Look at a batch now and then until it is over, then store all that it gave."""
        seconds = FIRST_LOOK
        while not self._halted.is_set():
            state = await self._client.poll(batch.id)
            if state:
                self._say(state)
            if state and state.is_final:
                await self._store_all(batch, state)
                return
            await self._pause(seconds)
            seconds = min(seconds * 1.5, LAST_LOOK)

    def _say(self, state: BatchState) -> None:
        now = state.status, state.done
        if self._last.get(state.id) != now:
            self._last[state.id] = now
            self._tell(
                BatchProgress(self._judge.name, state.id, state.status, state.done, state.total)
            )

    async def _store_all(self, batch: Batch, state: BatchState) -> None:
        way = RequestFormat(
            "responses" if batch.api == "responses" else "chat", True, self._judge.is_openai
        )
        replies = await self._client.fetch(state, way)
        found = [self._read(batch, key, replies.get(key), state) for key in batch.keys]
        self._store.close_batch(batch.mark, state.status, state.error, found)
        for key, verdict, _ in found:
            self._done, self._failed = self._done + 1, self._failed + (verdict.label is None)
            self._tell(Judged(key, verdict))
        counts = self._done, self._failed, len(self._put), self._dollars
        self._tell(JudgeProgress(self._judge.name, *counts))
        if state.status == "failed":
            super().stop(f"the server refused the batch ({state.error or 'it does not say why'})")

    def _read(
        self, batch: Batch, key: str, reply: RawReply | None, state: BatchState
    ) -> tuple[str, Verdict, JudgeReply | None]:
        if reply is None:
            said = f": {state.error}" if state.error else ""
            failure = f"the batch was {state.status} without a reply to this question{said}"
            return key, Verdict(self._judge.id, None, failure), None
        verdict = self._judge.verdict(reply, 0.0)
        dollars = self._judge.dollars(reply)
        self._budget.settle(0.0, dollars or 0.0)
        return key, verdict, self._exchange(reply, batch.way, dollars)

    async def _pause(self, seconds: float) -> bool:
        """Wait; return whether a wish to stop came."""
        try:
            await asyncio.wait_for(self._halted.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _named(batch: Batch, state: BatchState) -> Batch:
    return Batch(batch.mark, state.id, batch.api, batch.way, batch.keys, batch.begun)
