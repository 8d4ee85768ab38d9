"""What an engine tells: requests that ended, deaths that were survived, the moment's Snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass

from steertui.core.generation import Generation
from steertui.engine.context import ContextParams


@dataclass(frozen=True, slots=True)
class Completed:
    """An answer is complete."""

    id: str
    generation: Generation


@dataclass(frozen=True, slots=True)
class Scored:
    """Continuations are scored: natural log-likelihoods, in the request's order."""

    id: str
    logliks: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request killed the engine again and again while it was alone in it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EngineRestarted:
    """An engine died, and why; its requests were put back, and it runs again in this shape."""

    reason: str
    shape: ContextParams


@dataclass(frozen=True, slots=True)
class EngineLost:
    """An engine died for good, and why; its requests went to the `left` engines that remain."""

    reason: str
    shape: ContextParams
    left: int


EngineEvent = Completed | Scored | RequestFailed | EngineRestarted | EngineLost


@dataclass(frozen=True, slots=True)
class SlotView:
    """What one slot is doing: whose request, how many tokens it wrote, its text so far."""

    id: str
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An engine, or several together, at one moment.

    Attributes:
        slots: the occupied ones.
        waiting: requests in the queue.
        written: answer tokens since the start.
        prefilled: prompt tokens computed since the start.
        steps: batches since the start.
        seconds_decoding: wall time inside llama_decode and the read of its logits.
        cells: of the KV cache, those that the occupied slots fill; shared ones count each time.
    """

    slots: tuple[SlotView, ...] = ()
    waiting: int = 0
    written: int = 0
    prefilled: int = 0
    steps: int = 0
    seconds_decoding: float = 0.0
    cells: int = 0


def total(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return several engines as if they were one."""
    found = list(snapshots)
    return Snapshot(
        slots=tuple(slot for s in found for slot in s.slots),
        waiting=sum(s.waiting for s in found),
        written=sum(s.written for s in found),
        prefilled=sum(s.prefilled for s in found),
        steps=sum(s.steps for s in found),
        seconds_decoding=sum(s.seconds_decoding for s in found),
        cells=sum(s.cells for s in found),
    )
