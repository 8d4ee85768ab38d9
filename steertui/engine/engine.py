"""Engine: continuous batching of requests in one llama.cpp context."""

import time
from collections.abc import Sequence as Many

import numpy as np

from steertui.core.generation import Generation, StopReason
from steertui.engine.context import ContextParams, LlamaContext
from steertui.engine.events import Completed, LogitsNotFinite, Scored, SlotView, Snapshot
from steertui.engine.llama import LlamaModel
from steertui.engine.sampler import Sampler
from steertui.engine.scheduler import Chunk, Scheduler, Slot
from steertui.engine.sequence import GenerateRequest, ScoreRequest, Sequence
from steertui.engine.steering import UNSTEERED, SteeredModel, Steering, adapters_of
from steertui.engine.stopwatch import Phase, Stopwatch
from steertui.errors import EngineError
from steertui.units import quantity

Finished = Completed | Scored | LogitsNotFinite
"""A request that has ended."""


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

    A sequence whose logits are NaN or infinite is decoded again, alone and with an empty KV cache,
    since the values of one sequence can spread to others in the same cache. If its logits are
    still not finite, its request fails.

    A steering applies to the whole context. Requests of another one wait until the sequences of the
    current one are complete; then the KV cache is emptied, since its cells would be wrong.

    Attributes:
        model: the loaded model; the caller closes it.
        stopwatch: time by phase; between two steps it is in `Phase.WAITING`.
        shape: parameters of the current context.
    """

    def __init__(
        self,
        model: LlamaModel,
        shape: ContextParams,
        steerings: Many[Steering] = (UNSTEERED,),
    ) -> None:
        """Create the context; requests refer to `steerings`, of which the first is unsteered."""
        self.model = model
        self.shape = shape
        self._steerings = tuple(steerings)
        self._steering = 0
        self._steered_model = SteeredModel(model, adapters_of(steerings))
        self._waiting: dict[int, list[Sequence]] = {}
        self._share = shape.slots > 1 and model.can_truncate
        self._can_move = self._share and not shape.unified
        self._preempted: list[Sequence] = []
        self._suspects: list[Sequence] = []
        self._isolated: Scheduler | None = None
        self._sampler = Sampler(model.n_vocab)
        self.stopwatch = Stopwatch()
        self._open()
        self._generated = 0
        self._prefilled = 0
        self._steps = 0
        self._logits = 0

    def _open(self) -> None:
        self._context = LlamaContext(self.model, self.shape)
        self._steered = self._steered_model.context(self._context.handle)
        self._steered.apply(self._steerings[self._steering])
        self._scheduler = Scheduler(self.shape.slots, self.shape.batch, share=self._share)

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Queue a request; raise EngineError if it cannot fit any slot."""
        sequence = Sequence(request)
        if sequence.max_tokens > self.shape.max_request_tokens:
            raise EngineError(
                f"{request.id}: needs {sequence.max_tokens} tokens, but a slot has at most "
                f"{self.shape.max_request_tokens}; lower the maximum tokens or choose a model with "
                "a longer context"
            )
        self._enqueue(sequence)

    def _enqueue(self, sequence: Sequence) -> None:
        if sequence.steering != self._steering:
            self._waiting.setdefault(sequence.steering, []).append(sequence)
        elif sequence.min_tokens > self.shape.slot_tokens:
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
        return self._unfinished_here + sum(map(len, self._waiting.values()))

    @property
    def _unfinished_here(self) -> int:
        """Number of unfinished requests of the current steering."""
        alone = self._isolated.unfinished if self._isolated else 0
        return self._scheduler.unfinished + len(self._preempted) + len(self._suspects) + alone

    def step(self) -> list[Finished]:
        """Decode one batch; return the requests that ended with it."""
        self.stopwatch.enter(Phase.SCHEDULING)
        if self._waiting and not self._unfinished_here:
            self._change_steering()
        scheduler = self._isolate_next() or self._scheduler
        while self._preempted and not self._unfinished_here - len(self._preempted):
            self._lengthen_slots()
            scheduler = self._scheduler
        while admission := scheduler.admit():
            slot = admission.slot
            assert slot.sequence is not None
            slot.sequence.start()
            if slot is admission.source:
                self._context.trim(slot.number, admission.shared)
            else:
                self._context.fork(admission.source.number, slot.number, admission.shared)
        while self._can_move and (move := scheduler.close_gap()):
            self._context.fork(move.source.number, move.target.number, move.length)
        chunks = scheduler.next_batch()
        finished = self._decode(scheduler, chunks) if chunks else []
        self.stopwatch.enter(Phase.WAITING)
        return finished

    def _change_steering(self) -> None:
        """Apply the steering with the most waiting requests, and queue these."""
        self._steering = max(self._waiting, key=lambda i: len(self._waiting[i]))
        self._context.clear()
        self._scheduler.forget_cells()
        self._steered.apply(self._steerings[self._steering])
        for sequence in self._waiting.pop(self._steering):
            self._enqueue(sequence)

    def _isolate_next(self) -> Scheduler | None:
        """Return the scheduler of the sequence that is decoded alone; None if there is none."""
        if self._isolated and self._isolated.unfinished:
            return self._isolated
        if self._isolated or self._suspects:
            self._context.clear()
            self._scheduler.forget_cells()
            self._isolated = None
        if self._suspects:
            self._isolated = Scheduler(1, self.shape.batch, share=False)
            self._isolated.add(self._suspects.pop(0))
        return self._isolated

    def _decode(self, scheduler: Scheduler, chunks: list[Chunk]) -> list[Finished]:
        tokens = [t for c in chunks for t in c.sequence.tokens[c.start : c.end]]
        positions = [p for c in chunks for p in range(c.start, c.end)]
        slots = [c.slot.number for c in chunks for _ in range(c.start, c.end)]
        needs_logits = [p >= c.sequence.first_logits for c in chunks for p in range(c.start, c.end)]
        self.stopwatch.enter(Phase.DECODING)
        logits = self._context.decode(
            np.array(tokens, np.int32),
            np.array(positions, np.int32),
            np.array(slots, np.int32),
            np.array(needs_logits, np.bool_),
        )
        self.stopwatch.enter(Phase.SAMPLING)
        self._steps += 1
        self._logits += logits.size
        return self._advance(scheduler, chunks, logits)

    def _advance(
        self, scheduler: Scheduler, chunks: list[Chunk], logits: np.ndarray
    ) -> list[Finished]:
        """Use the logits of a batch: add scores, or sample the next token of each sequence."""
        generating: list[tuple[Slot, Sequence, int]] = []
        finished: list[Finished] = []
        row = 0
        for chunk in chunks:
            sequence = chunk.sequence
            first = max(chunk.start, sequence.first_logits)
            rows = max(0, chunk.end - first)
            sequence.cached = chunk.end
            chunk.slot.cached = chunk.end
            self._prefilled += max(0, min(chunk.end, sequence.read_length) - chunk.start)
            new = logits[row : row + rows]
            row += rows
            if not are_finite(new):
                finished += self._set_apart(scheduler, chunk.slot, sequence)
            elif isinstance(sequence.request, ScoreRequest):
                sequence.add_scores(new, first)
                if not sequence.uncached:
                    finished += self._score(scheduler, chunk.slot, sequence)
            elif rows:
                generating.append((chunk.slot, sequence, row - 1))
        return finished + self._generate(scheduler, generating, logits)

    def _set_apart(self, scheduler: Scheduler, slot: Slot, sequence: Sequence) -> list[Finished]:
        """Release a sequence whose logits are not finite: to decode it alone, or as failed."""
        scheduler.release(slot)
        if scheduler is self._isolated:
            place = quantity(len(sequence.new_tokens), "token")
            reason = (
                f"{self.model.path.name}: the logits after {place} are NaN or infinite, which is "
                "no answer"
            )
            return [LogitsNotFinite(sequence.request.id, reason)]
        sequence.restart()
        self._suspects.append(sequence)
        return []

    def _generate(
        self,
        scheduler: Scheduler,
        generating: list[tuple[Slot, Sequence, int]],
        logits: np.ndarray,
    ) -> list[Finished]:
        """Sample one token for each (slot, sequence, row of logits)."""
        if not generating:
            return []
        rows = (logits[row] for _, _, row in generating)
        tokens = self._sampler.sample(rows, [sequence for _, sequence, _ in generating])
        finished: list[Finished] = []
        for (slot, sequence, _), token in zip(generating, tokens, strict=True):
            stop = self._append(sequence, token)
            if stop:
                finished.append(_completed(sequence, stop))
                scheduler.release(slot)
            elif len(sequence.tokens) > self.shape.slot_tokens:
                self._preempted.append(sequence)
                scheduler.release(slot)
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

    def _score(self, scheduler: Scheduler, slot: Slot, sequence: Sequence) -> list[Finished]:
        """Start the next path of a score request, or complete the request."""
        if sequence.start_next_path():
            if not self.model.can_truncate:
                sequence.cached = 0
            self._context.trim(slot.number, sequence.cached)
            slot.cached = sequence.cached
            return []
        assert sequence.scores
        slot.cached = min(slot.cached, sequence.prompt_length)
        scheduler.release(slot)
        seconds = time.perf_counter() - sequence.started
        return [Scored(sequence.request.id, tuple(sequence.scores.logliks), seconds)]

    def snapshot(self) -> Snapshot:
        """Return occupied slots, queue length and counters."""
        isolated = self._isolated.slots if self._isolated else []
        running = [s.sequence for s in (*isolated, *self._scheduler.slots) if s.sequence]
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
            seconds=self.stopwatch.seconds,
            logits=self._logits,
            used_cells=sum(s.cached for s in running),
        )

    def close(self) -> None:
        """Free the KV cache; the model stays loaded."""
        self._context.close()


def are_finite(logits: np.ndarray) -> bool:
    """Whether rows of logits can be used: none has a NaN or +inf, and none is -inf throughout.

    The highest value of a row decides, since NumPy's maximum of a row with a NaN is NaN.
    """
    return bool(np.isfinite(logits.max(axis=1)).all())


def _completed(sequence: Sequence, stop: StopReason) -> Completed:
    generation = Generation(
        text=sequence.answer.decode(errors="replace"),
        stop=stop,
        prompt_tokens=sequence.prompt_length,
        tokens=len(sequence.new_tokens),
        seconds=time.perf_counter() - sequence.started,
    )
    return Completed(sequence.request.id, generation)
