"""The Engine: continuous batching; `add` requests, `step` until it is idle."""

import time

import numpy as np

from steertui.core.generation import Generation, StopReason
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.events import Completed, Scored, SlotView, Snapshot
from steertui.engine.llama import LlamaModel
from steertui.engine.sampler import sample
from steertui.engine.scheduler import Chunk, Scheduler, Slot
from steertui.engine.sequence import GenerateRequest, ScoreRequest, Sequence
from steertui.errors import EngineError


class Engine:
    """One model in one context; many sequences at once.

    With one slot prompts are computed whole and alone, as llama-cpp-python's own `Llama` does it,
    and greedy answers equal its own token for token; with more, prefixes are shared, if the model
    rewinds.

    A sequence that outgrows its slot is parked, with all it wrote; when nobody else is left, the
    context is made again with half as many slots, twice as long, and the parked go on there. So
    slots may be far shorter than the longest answer allowed, and none is cut short or lost.
    """

    def __init__(self, model: LlamaModel, shape: ContextParams) -> None:
        self.model = model
        self.shape = shape
        self._share = shape.slots > 1 and model.rewinds
        self._parked: list[Sequence] = []
        self._open()
        self._written = self._prefilled = self._steps = 0
        self._seconds = 0.0

    def _open(self) -> None:
        self._context = LlamaContext(self.model, self.shape)
        self._scheduler = Scheduler(self.shape.slots, self.shape.batch, share=self._share)

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Queue a request; raises EngineError where it can never fit a slot."""
        sequence = Sequence(request)
        if sequence.most_tokens > self.shape.most_tokens:
            raise EngineError(
                f"{request.id}: needs {sequence.most_tokens} tokens and a slot has "
                f"{self.shape.most_tokens}; lower --max-tokens or choose a model of longer context"
            )
        self._enqueue(sequence)

    def _enqueue(self, sequence: Sequence) -> None:
        if sequence.least_tokens > self.shape.slot_tokens:
            self._parked.append(sequence)
        else:
            self._scheduler.add(sequence)

    def _lengthen(self) -> None:
        """Make the context again with longer slots, and let the parked go on in them."""
        self._context.close()
        self.shape = self.shape.longer
        self._open()
        parked, self._parked = self._parked, []
        for sequence in parked:
            sequence.cached = 0
            self._enqueue(sequence)

    @property
    def is_idle(self) -> bool:
        """Whether every request was answered."""
        return not self.unfinished

    @property
    def unfinished(self) -> int:
        """How many requests wait or are at work."""
        return self._scheduler.unfinished + len(self._parked)

    def step(self) -> list[Completed | Scored]:
        """Compute one batch; return what it completed."""
        while self._parked and not self._scheduler.unfinished:
            self._lengthen()
        while admission := self._scheduler.admit():
            slot = admission.slot
            assert slot.sequence is not None
            slot.sequence.start()
            if slot is admission.source:
                self._context.trim(slot.number, admission.shared)
            else:
                self._context.fork(admission.source.number, slot.number, admission.shared)
        chunks = self._scheduler.plan()
        return self._compute(chunks) if chunks else []

    def _compute(self, chunks: list[Chunk]) -> list[Completed | Scored]:
        tokens = [t for c in chunks for t in c.sequence.tokens[c.start : c.end]]
        positions = [p for c in chunks for p in range(c.start, c.end)]
        slots = [c.slot.number for c in chunks for _ in range(c.start, c.end)]
        wanted = [p >= c.sequence.first_wanted for c in chunks for p in range(c.start, c.end)]
        begin = time.perf_counter()
        logits = self._context.decode(
            np.array(tokens, np.int32),
            np.array(positions, np.int32),
            np.array(slots, np.int32),
            np.array(wanted, np.bool_),
        )
        self._seconds += time.perf_counter() - begin
        self._steps += 1
        return self._advance(chunks, logits)

    def _advance(self, chunks: list[Chunk], logits: np.ndarray) -> list[Completed | Scored]:
        writers: list[tuple[Slot, Sequence, int]] = []
        row = 0
        for chunk in chunks:
            sequence, wanted = chunk.sequence, chunk.sequence.first_wanted
            sequence.cached = chunk.slot.cached = chunk.end
            self._prefilled += max(0, min(chunk.end, sequence.prompt_length) - chunk.start)
            rows = max(0, chunk.end - max(chunk.start, wanted))
            if rows and isinstance(sequence.request, ScoreRequest):
                sequence.add_scores(logits[row : row + rows], max(chunk.start, wanted))
            elif rows:
                writers.append((chunk.slot, sequence, row))
            row += rows
        finished = self._write(writers, logits)
        for chunk in chunks:
            if isinstance(chunk.sequence.request, ScoreRequest) and not chunk.sequence.pending:
                finished += self._score(chunk.slot, chunk.sequence)
        return finished

    def _write(
        self, writers: list[tuple[Slot, Sequence, int]], logits: np.ndarray
    ) -> list[Completed | Scored]:
        if not writers:
            return []
        chosen = sample(logits[[row for _, _, row in writers]], [s for _, s, _ in writers])
        finished: list[Completed | Scored] = []
        for (slot, sequence, _), token in zip(writers, chosen, strict=True):
            stop = self._append(sequence, token)
            if stop:
                finished.append(_written(sequence, stop))
                self._scheduler.release(slot)
            elif len(sequence.tokens) > self.shape.slot_tokens:
                self._parked.append(sequence)
                self._scheduler.release(slot)
        return finished

    def _append(self, sequence: Sequence, token: int) -> StopReason | None:
        assert isinstance(sequence.request, GenerateRequest)
        is_eos_alone = sequence.request.sampling.end == "eos"
        ends = self.model.eos_tokens if is_eos_alone else self.model.end_tokens
        if token in ends and not sequence.request.past_end:
            return StopReason.STOP
        sequence.tokens.append(token)
        sequence.raw += self.model.piece(token)
        self._written += 1
        length = len(sequence.tokens) - sequence.prompt_length
        return StopReason.LENGTH if length >= sequence.request.sampling.max_tokens else None

    def _score(self, slot: Slot, sequence: Sequence) -> list[Completed | Scored]:
        if sequence.next_path():
            if not self.model.rewinds:
                sequence.cached = 0
            self._context.trim(slot.number, sequence.cached)
            slot.cached = sequence.cached
            return []
        assert sequence.scoring
        slot.cached = min(slot.cached, sequence.prompt_length)
        self._scheduler.release(slot)
        seconds = time.perf_counter() - sequence.started
        return [Scored(sequence.request.id, tuple(sequence.scoring.logliks), seconds)]

    def snapshot(self) -> Snapshot:
        """Return what is going on now."""
        seated = [slot.sequence for slot in self._scheduler.slots if slot.sequence]
        views = (
            SlotView(s.request.id, len(s.raw) and len(s.written), s.raw.decode(errors="replace"))
            for s in seated
        )
        cells = sum(s.cached for s in seated)
        counts = (self._written, self._prefilled, self._steps, self._seconds, cells)
        return Snapshot(tuple(views), self.unfinished - len(seated), *counts)

    def close(self) -> None:
        """Free the KV cache; the model is its owner's."""
        self._context.close()


def _written(sequence: Sequence, stop: StopReason) -> Completed:
    text = sequence.raw.decode(errors="replace")
    seconds = time.perf_counter() - sequence.started
    n = len(sequence.written)
    return Completed(
        sequence.request.id, Generation(text, stop, sequence.prompt_length, n, seconds)
    )
