"""Presses of keys, told apart from the repeats that a terminal sends while a key is held.

A terminal does not say that a key is held: it sends the key again, first after a delay and then
many times per second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic

from textual.events import Key, Paste

REPEAT_GAP = 0.15
"""Seconds within which each further repeat of a held key arrives; terminals send 10 to 40 per
second."""

REPEAT_DELAY = 2.0
"""Maximum seconds between the press of a key and its first repeat."""


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """A key that was typed, or a pasted text, that has not acted yet.

    Attributes:
        event: its event, whose time is that of its arrival.
        limit: time at which it acts whatever it waits for, in seconds of the monotonic clock.
        gap: seconds since the key before it, if that was the same key; else infinite.
    """

    event: Key | Paste
    limit: float
    gap: float = inf

    @property
    def key(self) -> str:
        """Name of the key; "" for a pasted text."""
        return self.event.key if isinstance(self.event, Key) else ""

    @property
    def is_repeat(self) -> bool:
        """Whether it is a repeat of a held key, from the second one on."""
        return self.gap <= REPEAT_GAP

    @property
    def is_unsure(self) -> bool:
        """Whether it is a new press or the first repeat: what follows it tells."""
        return REPEAT_GAP < self.gap <= REPEAT_DELAY

    def after(self, last: "Typed | None") -> "Typed":
        """Return it with the gap to the key that was typed before it."""
        is_same = last is not None and bool(self.key) and last.key == self.key
        gap = self.event.time - last.event.time if last and is_same else inf
        return Typed(self.event, self.limit, gap)


def is_sent_by_held_key(typed: Typed, later: Sequence[Typed]) -> bool:
    """Return whether a key is a repeat; `later` are the keys that were typed after it."""
    return typed.is_repeat or (typed.is_unsure and bool(later) and later[0].is_repeat)


def is_undecided(typed: Typed, later: Sequence[Typed]) -> bool:
    """Return whether a repeat that follows a key may still arrive."""
    return typed.is_unsure and not later and monotonic() < typed.event.time + REPEAT_GAP
