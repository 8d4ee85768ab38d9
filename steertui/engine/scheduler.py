"""The Scheduler: which tokens go into the next batch, in which slot; shares common prefixes."""

from bisect import insort
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steertui.engine.sequence import Sequence


@dataclass(eq=False, slots=True)
class Slot:
    """A place for one sequence in the KV cache; what it computed stays until it is overwritten.

    Attributes:
        number: llama.cpp's sequence id.
        sequence: who sits there, or None.
        resident: the tokens that are, or are about to be, in its KV cells.
        cached: how many of them are there already.
        used: when it was last given away, in admissions.
    """

    number: int
    sequence: Sequence | None = None
    resident: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    cached: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """A sequence goes into `slot`, whose first `shared` tokens are forked from slot `source`."""

    slot: Slot
    source: Slot
    shared: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens `start` to `end` of the sequence in `slot` go into the batch."""

    slot: Slot
    sequence: Sequence
    start: int
    end: int


class Scheduler:
    """Holds the queue and the slots.

    The queue is kept in the tokens' own order, so neighbours in it share the longest prefixes,
    and whoever went before is still resident: every node of the prompts' trie is computed once.
    """

    def __init__(self, slots: int, batch: int, *, share: bool) -> None:
        self.slots = [Slot(i) for i in range(slots)]
        self.queue: list[Sequence] = []
        self._batch = batch
        self._share = share
        self._admissions = 0

    def add(self, sequence: Sequence) -> None:
        """Put a sequence into the queue."""
        insort(self.queue, sequence, key=lambda s: s.known)

    @property
    def unfinished(self) -> int:
        """How many wait or sit."""
        return len(self.queue) + sum(slot.sequence is not None for slot in self.slots)

    def admit(self) -> Admission | None:
        """Seat the next sequence; None where no slot is free or its prefix is being computed."""
        free = [slot for slot in self.slots if slot.sequence is None]
        if not self.queue or not free:
            return None
        sequence = self.queue[-1]
        prompt = np.asarray(sequence.known, np.int32)
        source, shared = self._nearest(prompt)
        if shared > source.cached:
            return None
        self.queue.pop()
        slot = source if source in free else min(free, key=lambda s: s.used)
        self._admissions += 1
        slot.sequence, slot.resident, slot.used = sequence, prompt, self._admissions
        slot.cached = sequence.cached = shared
        return Admission(slot, source, shared)

    def _nearest(self, prompt: NDArray[np.int32]) -> tuple[Slot, int]:
        """Return the slot that shares most with the prompt, and how many tokens.

        The last token is never shared: its logits are needed.
        """
        if not self._share:
            return min(self.slots, key=lambda s: (s.sequence is not None, s.used)), 0
        lengths = [common(slot.resident, prompt[:-1]) for slot in self.slots]
        best = max(range(len(lengths)), key=lambda i: (lengths[i], self.slots[i].cached))
        return self.slots[best], lengths[best]

    def plan(self) -> list[Chunk]:
        """Return the next batch: a token of everyone who writes, then prompts as room is left."""
        seated = [(slot, slot.sequence) for slot in self.slots if slot.sequence is not None]
        seated.sort(key=lambda pair: (pair[1].pending > 1, pair[0].used))
        chunks, room = [], self._batch
        for slot, sequence in seated:
            size = min(sequence.pending, room)
            if size:
                start = sequence.cached
                chunks.append(Chunk(slot, sequence, start, start + size))
                room -= size
        return chunks

    def release(self, slot: Slot) -> None:
        """Free a slot; its cells stay, for whoever shares a prefix with them."""
        assert slot.sequence is not None
        slot.resident = np.asarray(slot.sequence.tokens[: slot.cached], np.int32)
        slot.sequence = None


def common(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """Return the length of the longest common prefix."""
    n = min(len(a), len(b))
    differs = a[:n] != b[:n]
    return int(differs.argmax()) if differs.any() else n
