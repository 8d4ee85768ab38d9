"""What a run's thread tells its screen: messages, each the whole of what is new since the last."""

from dataclasses import dataclass, field

from textual.message import Message

from steertui.analysis.summary import Summary
from steertui.core.verdict import Verdict
from steertui.engine.events import SlotView
from steertui.store import TrialStatus


@dataclass
class Planned(Message):
    """The plan is made; the store holds its trials under this id."""

    id: str
    judge: str
    is_along: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """How far fetching, answering or judging is; `pace` is in words."""

    done: int
    total: int
    pace: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """How far one judge is.

    Attributes:
        done: answers read, failures included.
        total: put to it so far.
        failed: read, and no label given.
        dollars: what that cost; None where nothing is paid or known.
    """

    done: int
    total: int
    failed: int = 0
    dollars: float | None = None


@dataclass(frozen=True, slots=True)
class Kv:
    """The KV cache: cells in use, cells in all, bytes in all (0 where nobody knows)."""

    used: int
    cells: int
    size: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that stays on the screen until the next run; `is_bad` where something failed."""

    text: str
    is_bad: bool = True


@dataclass
class Ticked(Message):
    """What happened since the last tick: verdicts by trial and judge, the rest by trial."""

    stages: dict[str, Stage] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    shape: str = ""
    speed: float | None = None
    kv: Kv | None = None
    notices: list[Notice] = field(default_factory=list)
    slots: tuple[SlotView, ...] | None = None
    room: int = 0
    answers: set[str] = field(default_factory=set)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    cells: dict[str, TrialStatus] = field(default_factory=dict)
    summary: Summary | None = None


@dataclass
class Ended(Message):
    """The run is over: `trouble` is a sentence, "" if all went well."""

    trouble: str
    stopped: bool
    summary: Summary | None
