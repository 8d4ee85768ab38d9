"""Events of an engine, and snapshots of its state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from steertui.core.generation import Generation
from steertui.engine.context import ContextParams
from steertui.engine.stopwatch import Phase


@dataclass(frozen=True, slots=True)
class Completed:
    """A generate request is complete; `id` is the request's."""

    id: str
    generation: Generation


@dataclass(frozen=True, slots=True)
class Scored:
    """A score request is complete.

    Attributes:
        id: of the request.
        logliks: log-likelihood of each continuation in nats, in the request's order.
        seconds: wall time from admission to a slot until the end.
    """

    id: str
    logliks: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request failed for good; `id` is the request's."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class LogitsNotFinite(RequestFailed):
    """A request failed because the model's logits are NaN or infinite, even alone."""


@dataclass(frozen=True, slots=True)
class EngineRestarted:
    """An engine crashed and was restarted; its requests were queued again.

    Attributes:
        reason: why it crashed.
        shape: context parameters after the restart.
    """

    reason: str
    shape: ContextParams


@dataclass(frozen=True, slots=True)
class EngineLost:
    """An engine crashed and cannot be restarted; other engines take its requests.

    Attributes:
        reason: why it is given up.
        shape: its context parameters.
        left: number of engines that remain.
    """

    reason: str
    shape: ContextParams
    left: int


EngineEvent = Completed | Scored | RequestFailed | EngineRestarted | EngineLost


@dataclass(frozen=True, slots=True)
class SlotView:
    """State of an occupied slot.

    Attributes:
        id: of the request.
        tokens: generated tokens so far.
        text: generated text so far.
    """

    id: str
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of one engine, or of several together, at one moment.

    Attributes:
        slots: the occupied slots.
        waiting: requests in the queue.
        generated: answer tokens since the start.
        prefilled: tokens of prompts and of scored texts decoded since the start.
        steps: batches since the start.
        seconds: wall time by phase of the engines' work.
        logits: logits that llama.cpp copied to main memory since the start.
        used_cells: KV cells of the occupied slots; shared cells count once per slot.
    """

    slots: tuple[SlotView, ...] = ()
    waiting: int = 0
    generated: int = 0
    prefilled: int = 0
    steps: int = 0
    seconds: Mapping[Phase, float] = field(default_factory=dict)
    logits: int = 0
    used_cells: int = 0


@dataclass(frozen=True, slots=True)
class Capacity:
    """Slots and KV cache of one engine, or of several together.

    Attributes:
        slots: sequences at once.
        kv_cells: cells of the KV caches.
        kv_bytes: bytes of the KV caches; 0 if the size of a cell is unknown.
    """

    slots: int
    kv_cells: int
    kv_bytes: int


def combine(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return one snapshot of several engines: slots joined, counters added."""
    parts = list(snapshots)
    return Snapshot(
        slots=tuple(slot for part in parts for slot in part.slots),
        waiting=sum(part.waiting for part in parts),
        generated=sum(part.generated for part in parts),
        prefilled=sum(part.prefilled for part in parts),
        steps=sum(part.steps for part in parts),
        logits=sum(part.logits for part in parts),
        seconds={p: sum(part.seconds.get(p, 0.0) for part in parts) for p in Phase},
        used_cells=sum(part.used_cells for part in parts),
    )
