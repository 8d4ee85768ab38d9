"""What a run tells: events, in the past tense."""

from dataclasses import dataclass
from typing import Protocol

from steertui.core.generation import Generation
from steertui.core.prompt import Prompt
from steertui.core.verdict import Verdict
from steertui.engine.context import ContextParams
from steertui.engine.events import EngineLost, EngineRestarted, RequestFailed, SlotView, Snapshot
from steertui.engine.pool import Pool
from steertui.judge.label_order import OrderEffect


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """A model is still being read into memory; told a few times a second."""

    name: str


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A model is in memory, for "generate" or "judge"; `total` requests wait for it.

    Attributes:
        shapes: of each engine that runs it.
    """

    stage: str
    name: str
    shapes: tuple[ContextParams, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Generated:
    """A trial was answered, and the answer stored."""

    prompt: Prompt
    generation: Generation


@dataclass(frozen=True, slots=True)
class Judged:
    """A judge read an answer, and its verdict was stored."""

    key: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class EngineProgress:
    """The engine has gone on; `done` of `total` requests of this stage are complete."""

    stage: str
    engine: Pool
    done: int
    total: int

    def snapshot(self) -> Snapshot:
        """Return what the slots are doing; ask ten times a second at most."""
        return self.engine.snapshot()


@dataclass(frozen=True, slots=True)
class JudgeReady:
    """A judge behind a server answered the known question, and how it is asked from now on.

    Attributes:
        judge: its name.
        way: in words.
        is_right: whether the label was the one beyond doubt.
    """

    judge: str
    way: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class JudgeProgress:
    """A judge behind a server has gone on.

    Attributes:
        judge: its name.
        done: questions answered in this run, with a label or a failure.
        failed: of them, failures.
        total: questions put so far in this run.
        dollars: what they cost by the server's own count; None without a price.
    """

    judge: str
    done: int
    failed: int
    total: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch of questions stands elsewhere than before; `id` and `status` are the server's."""

    judge: str
    id: str
    status: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class JudgeStopped:
    """A judge behind a server was stopped before its end; `left` questions stay unanswered."""

    judge: str
    reason: str
    left: int


class Holds(Protocol):
    """What can be held for a while."""

    def hold(self, *, held: bool) -> None:
        """Begin nothing more, or go on."""


@dataclass(frozen=True, slots=True)
class ServerProgress:
    """A model behind servers has gone on.

    Attributes:
        model: its name.
        done: prompts answered in this run; `failed`: those that could not be.
        total: prompts of this run.
        tokens: new tokens of the answers, by the servers' own count.
        seconds: since it began.
        at_once: prompts that the servers have now.
        up: servers that can be asked; `servers`: all of them.
        views: what is being answered, the first of them.
        serving: what holds it.
    """

    model: str
    done: int
    failed: int
    total: int
    tokens: int
    seconds: float
    at_once: int
    up: int
    servers: int
    views: tuple[SlotView, ...]
    serving: Holds


@dataclass(frozen=True, slots=True)
class ServerLost:
    """A server cannot be asked, and why; it is looked for until it is back, unless `for_good`."""

    model: str
    url: str
    reason: str
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class ServerFound:
    """A server that was lost is back."""

    model: str
    url: str


@dataclass(frozen=True, slots=True)
class ServerModelStopped:
    """A model's servers are asked no more before all is done; `left` prompts have no answer."""

    model: str
    reason: str
    left: int


@dataclass(frozen=True, slots=True)
class LabelOrdersMeasured:
    """A local judge has read answers in every order of its rubric's labels; what that changed."""

    judge: str
    effect: OrderEffect


Event = (
    ModelLoading
    | ModelLoaded
    | Generated
    | Judged
    | RequestFailed
    | EngineLost
    | EngineRestarted
    | EngineProgress
    | JudgeReady
    | JudgeProgress
    | BatchProgress
    | JudgeStopped
    | LabelOrdersMeasured
    | ServerProgress
    | ServerLost
    | ServerFound
    | ServerModelStopped
)
