"""What a run tells: events, in the past tense."""

from dataclasses import dataclass

from steertui.engine.context import ContextParams
from steertui.engine.engine import Snapshot
from steertui.engine.process import EngineProcess, Failed, Restarted
from steertui.generation import Generation
from steertui.prompt import Prompt
from steertui.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model is in memory, for "generate" or "judge"; `total` requests wait for it."""

    stage: str
    name: str
    shape: ContextParams
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
class Stepped:
    """The engine has gone on; `done` of `total` requests of this stage are complete."""

    stage: str
    engine: EngineProcess
    done: int
    total: int

    def snapshot(self) -> Snapshot:
        """Return what the slots are doing; ask ten times a second at most."""
        return self.engine.snapshot()


Event = Loaded | Generated | Judged | Failed | Restarted | Stepped
