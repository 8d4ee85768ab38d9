"""Engine: continuous batching of requests in one llama.cpp context."""

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
    """One model in one context, with several sequences at once.

    Call `add` for each request, then `step` until `is_idle`. With one slot each prompt is decoded
    whole and alone, as by `llama_cpp.Llama`, and greedy answers are identical to its answers token
    for token. With more slots, prompts share prefixes if the model supports it
    (`LlamaModel.can_truncate`).

    A sequence that outgrows its slot is preempted and keeps its tokens. When no other sequence is
    left, the context is recreated with half as many slots of twice the length, and the preempted
    sequences continue. So slots may be shorter than the longest allowed answer, and no answer is
    truncated.

    Attributes:
        model: the loaded model; the caller closes it.
        shape: parameters of the current context.
    """

    def __init__(self, model: LlamaModel, shape: ContextParams) -> None:
        self.model = model
        self.shape = shape
        self._share = shape.slots > 1 and model.can_truncate
        self._preempted: list[Sequence] = []
        self._open()
        self._generated = 0
        self._prefilled = 0
        self._steps = 0
        self._seconds = 0.0

    def _open(self) -> None:
        self._context = LlamaContext(self.model, self.shape)
        self._scheduler = Scheduler(self.shape.slots, self.shape.batch, share=self._share)

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Queue a request; raise EngineError if it cannot fit any slot."""
        sequence = Sequence(request)
        if sequence.max_tokens > self.shape.max_request_tokens:
            raise EngineError(
                f"{request.id}: needs {sequence.max_tokens} tokens, but a slot has at most "
                f"{self.shape.max_request_tokens}; lower --max-tokens or choose a model with a "
                "longer context"
            )
        self._enqueue(sequence)

    def _enqueue(self, sequence: Sequence) -> None:
        if sequence.min_tokens > self.shape.slot_tokens:
            self._preempted.append(sequence)
        else:
            self._scheduler.add(sequence)

    def _lengthen_slots(self) -> None:
        """Recreate the context with longer slots and queue the preempted sequences."""
        self._context.close()
        self.shape = self.shape.with_longer_slots()
        self._open()
        preempted = self._preempted
        self._preempted = []
        for sequence in preempted:
            sequence.cached = 0
            self._enqueue(sequence)

    @property
    def context(self) -> LlamaContext:
        """The current llama.cpp context."""
        return self._context

    @property
    def is_idle(self) -> bool:
        """Whether every request is complete."""
        return not self.unfinished

    @property
    def unfinished(self) -> int:
        """Number of requests that are queued or in a slot."""
        return self._scheduler.unfinished + len(self._preempted)

    def step(self) -> list[Completed | Scored]:
        """Decode one batch; return the requests that it completed."""
        while self._preempted and not self._scheduler.unfinished:
            self._lengthen_slots()
        while admission := self._scheduler.admit():
            slot = admission.slot
            assert slot.sequence is not None
            slot.sequence.start()
            if slot is admission.source:
                self._context.trim(slot.number, admission.shared)
            else:
                self._context.fork(admission.source.number, slot.number, admission.shared)
        chunks = self._scheduler.next_batch()
        return self._decode(chunks) if chunks else []

    def _decode(self, chunks: list[Chunk]) -> list[Completed | Scored]:
        tokens = [t for c in chunks for t in c.sequence.tokens[c.start : c.end]]
        positions = [p for c in chunks for p in range(c.start, c.end)]
        slots = [c.slot.number for c in chunks for _ in range(c.start, c.end)]
        needs_logits = [p >= c.sequence.first_logits for c in chunks for p in range(c.start, c.end)]
        start = time.perf_counter()
        logits = self._context.decode(
            np.array(tokens, np.int32),
            np.array(positions, np.int32),
            np.array(slots, np.int32),
            np.array(needs_logits, np.bool_),
        )
        self._seconds += time.perf_counter() - start
        self._steps += 1
        return self._advance(chunks, logits)

    def _advance(self, chunks: list[Chunk], logits: np.ndarray) -> list[Completed | Scored]:
        """Use the logits of a batch: add scores, or sample the next token of each sequence."""
        generating: list[tuple[Slot, Sequence, int]] = []
        row = 0
        for chunk in chunks:
            sequence = chunk.sequence
            first = max(chunk.start, sequence.first_logits)
            rows = max(0, chunk.end - first)
            sequence.cached = chunk.end
            chunk.slot.cached = chunk.end
            self._prefilled += max(0, min(chunk.end, sequence.prompt_length) - chunk.start)
            if rows and isinstance(sequence.request, ScoreRequest):
                sequence.add_scores(logits[row : row + rows], first)
            elif rows:
                generating.append((chunk.slot, sequence, row))
            row += rows
        finished = self._generate(generating, logits)
        for chunk in chunks:
            if isinstance(chunk.sequence.request, ScoreRequest) and not chunk.sequence.uncached:
                finished += self._score(chunk.slot, chunk.sequence)
        return finished

    def _generate(
        self, generating: list[tuple[Slot, Sequence, int]], logits: np.ndarray
    ) -> list[Completed | Scored]:
        """Sample one token for each (slot, sequence, row of logits)."""
        if not generating:
            return []
        rows = [row for _, _, row in generating]
        tokens = sample(logits[rows], [sequence for _, sequence, _ in generating])
        finished: list[Completed | Scored] = []
        for (slot, sequence, _), token in zip(generating, tokens, strict=True):
            stop = self._append(sequence, token)
            if stop:
                finished.append(_completed(sequence, stop))
                self._scheduler.release(slot)
            elif len(sequence.tokens) > self.shape.slot_tokens:
                self._preempted.append(sequence)
                self._scheduler.release(slot)
        return finished

    def _append(self, sequence: Sequence, token: int) -> StopReason | None:
        """Append a sampled token; return the stop reason if the answer is complete."""
        request = sequence.request
        assert isinstance(request, GenerateRequest)
        is_eos_only = request.sampling.stop_tokens == "eos"
        end_tokens = self.model.eos_tokens if is_eos_only else self.model.end_tokens
        if token in end_tokens and not request.ignore_end:
            return StopReason.STOP
        sequence.tokens.append(token)
        sequence.answer += self.model.piece(token)
        self._generated += 1
        length = len(sequence.tokens) - sequence.prompt_length
        return StopReason.LENGTH if length >= request.sampling.max_tokens else None

    def _score(self, slot: Slot, sequence: Sequence) -> list[Completed | Scored]:
        """Start the next path of a score request, or complete the request."""
        if sequence.start_next_path():
            if not self.model.can_truncate:
                sequence.cached = 0
            self._context.trim(slot.number, sequence.cached)
            slot.cached = sequence.cached
            return []
        assert sequence.scores
        slot.cached = min(slot.cached, sequence.prompt_length)
        self._scheduler.release(slot)
        seconds = time.perf_counter() - sequence.started
        return [Scored(sequence.request.id, tuple(sequence.scores.logliks), seconds)]

    def snapshot(self) -> Snapshot:
        """Return occupied slots, queue length and counters."""
        running = [slot.sequence for slot in self._scheduler.slots if slot.sequence]
        views = (
            SlotView(s.request.id, len(s.new_tokens), s.answer.decode(errors="replace"))
            for s in running
        )
        return Snapshot(
            slots=tuple(views),
            waiting=self.unfinished - len(running),
            generated=self._generated,
            prefilled=self._prefilled,
            steps=self._steps,
            seconds_decoding=self._seconds,
            used_cells=sum(s.cached for s in running),
        )

    def close(self) -> None:
        """Free the KV cache; the model stays loaded."""
        self._context.close()


def _completed(sequence: Sequence, stop: StopReason) -> Completed:
    generation = Generation(
        text=sequence.answer.decode(errors="replace"),
        stop=stop,
        prompt_tokens=sequence.prompt_length,
        tokens=len(sequence.new_tokens),
        seconds=time.perf_counter() - sequence.started,
    )
    return Completed(sequence.request.id, generation)
