"""Scheduler: admission to slots with prefix sharing, and the token batch of each step."""

from bisect import insort
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steertui.engine.sequence import Sequence


@dataclass(eq=False, slots=True)
class Slot:
    """Space for one sequence in the KV cache; its cells stay valid until they are overwritten.

    Attributes:
        number: llama.cpp's sequence id.
        sequence: the sequence in the slot; None if it is free.
        resident: tokens that are in its KV cells, or will be after the current prefill.
        cached: how many of `resident` are in the KV cells now.
        last_admission: ordinal number of its last admission; 0 if there was none.
    """

    number: int
    sequence: Sequence | None = None
    resident: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    cached: int = 0
    last_admission: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """Admission of a sequence to `slot`; its first `shared` tokens are forked from `source`."""

    slot: Slot
    source: Slot
    shared: int


@dataclass(frozen=True, slots=True)
class Move:
    """Move of a sequence from slot `source` to slot `target`, with `length` cached tokens."""

    source: Slot
    target: Slot
    length: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens `start` to `end` of a sequence, as part of a batch."""

    slot: Slot
    sequence: Sequence
    start: int
    end: int


class Scheduler:
    """Queue of sequences, and the slots.

    The queue is sorted by tokens, so that neighbours share the longest prefixes, and the previous
    sequence is still resident. Each node of the trie of all prompts is decoded once.
    """

    def __init__(self, slots: int, batch: int, *, share: bool) -> None:
        """Prepare `slots` slots; `batch` is the maximum number of tokens per step."""
        self.slots = [Slot(i) for i in range(slots)]
        self.queue: list[Sequence] = []
        self._batch = batch
        self._share = share
        self._admissions = 0

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence."""
        insort(self.queue, sequence, key=lambda s: s.context_tokens)

    @property
    def unfinished(self) -> int:
        """Number of sequences that are queued or in a slot."""
        return len(self.queue) + sum(slot.sequence is not None for slot in self.slots)

    def admit(self) -> Admission | None:
        """Admit the next sequence; None if no slot is free or its prefix is still prefilled."""
        free = [slot for slot in self.slots if slot.sequence is None]
        if not self.queue or not free:
            return None
        sequence = self.queue[-1]
        tokens = np.asarray(sequence.context_tokens, np.int32)
        source, shared = self._best_source(tokens)
        if shared > source.cached:
            return None
        self.queue.pop()
        slot = source if source in free else min(free, key=lambda s: s.last_admission)
        self._admissions += 1
        slot.sequence = sequence
        slot.resident = tokens
        slot.last_admission = self._admissions
        slot.cached = shared
        sequence.cached = shared
        return Admission(slot, source, shared)

    def _best_source(self, tokens: NDArray[np.int32]) -> tuple[Slot, int]:
        """Return the slot with the longest common prefix, and the length of that prefix.

        The last token is never shared, because its logits are needed.
        """
        if not self._share:
            return min(self.slots, key=lambda s: (s.sequence is not None, s.last_admission)), 0
        lengths = [common_prefix(slot.resident, tokens[:-1]) for slot in self.slots]
        best = max(range(len(lengths)), key=lambda i: (lengths[i], self.slots[i].cached))
        return self.slots[best], lengths[best]

    def next_batch(self) -> list[Chunk]:
        """Return the next batch: one token per decoding sequence, and prefill up to the limit.

        Its order is that of the slots: llama.cpp computes several streams in one pass only if their
        numbers are ascending without gaps.
        """
        running = [(slot, slot.sequence) for slot in self.slots if slot.sequence is not None]
        running.sort(key=lambda pair: (pair[1].uncached > 1, pair[0].last_admission))
        chunks: list[Chunk] = []
        budget = self._batch
        for slot, sequence in running:
            size = min(sequence.uncached, budget)
            if size:
                start = sequence.cached
                chunks.append(Chunk(slot, sequence, start, start + size))
                budget -= size
        return sorted(chunks, key=lambda chunk: chunk.slot.number)

    def close_gap(self) -> Move | None:
        """Move a sequence so that occupied slots become neighbours; None if there is no need.

        While sequences are queued, the next of them will occupy the free slots. The number of moves
        is the least possible.
        """
        is_occupied = [slot.sequence is not None for slot in self.slots]
        count = sum(is_occupied)
        if self.queue or not count:
            return None
        starts = range(len(self.slots) - count + 1)
        start = max(starts, key=lambda i: sum(is_occupied[i : i + count]))
        window = range(start, start + count)
        target = next((self.slots[i] for i in window if not is_occupied[i]), None)
        if target is None:
            return None
        source = next(s for s in self.slots if s.sequence and s.number not in window)
        assert source.sequence is not None
        target.sequence = source.sequence
        target.resident = source.resident
        target.cached = source.cached
        target.last_admission = source.last_admission
        self.release(source)
        return Move(source, target, source.cached)

    def release(self, slot: Slot) -> None:
        """Free a slot; its cells stay available for prefix sharing."""
        assert slot.sequence is not None
        slot.resident = np.asarray(slot.sequence.tokens[: slot.cached], np.int32)
        slot.sequence = None

    def forget_cells(self) -> None:
        """Note that the KV cache is empty; running sequences are decoded again from their start."""
        for slot in self.slots:
            slot.cached = 0
            if slot.sequence is None:
                slot.resident = slot.resident[:0]
            else:
                slot.sequence.cached = 0


def common_prefix(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """Return the length of the longest common prefix."""
    n = min(len(a), len(b))
    differs = a[:n] != b[:n]
    return int(differs.argmax()) if differs.any() else n
