"""Events of a run: frozen snapshots of what was done, named in the past tense or as progress."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from steertui.analysis.judge_worth import JudgeWorth
from steertui.core.generation import Generation
from steertui.core.prompt import Prompt
from steertui.core.verdict import Verdict
from steertui.engine.context import ContextParams
from steertui.engine.events import (
    Capacity,
    EngineLost,
    EngineRestarted,
    RequestFailed,
    SlotView,
    Snapshot,
)
from steertui.execution.remaining_work import RemainingWork
from steertui.judge.label_order import OrderEffect
from steertui.stats.rate import Estimate


class RunStage(StrEnum):
    """Stage of a run in which an engine is at work."""

    GENERATE = "generate"
    """A model answers."""
    SCORE = "score"
    """The unsteered model scores answers."""
    JUDGE = "judge"
    """A local judge labels answers."""


@dataclass(frozen=True, slots=True)
class WeightsProgress:
    """Progress of a download of weights; yielded a few times per second.

    Attributes:
        model: its name.
        done: bytes received.
        total: bytes of all files.
        reason: why the download waits or failed; "" while bytes arrive.
        is_ahead: whether another model computes meanwhile; else the run waits for these weights.
    """

    model: str
    done: int
    total: int
    reason: str = ""
    is_ahead: bool = False


@dataclass(frozen=True, slots=True)
class WeightsFetched:
    """The weights of a model are downloaded and verified.

    Attributes:
        model: its name.
        size: bytes downloaded by this run.
        seconds: time of the download, most of it while another model computed.
    """

    model: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WeightsRemoved:
    """The weights of a model were removed after use: `size` bytes."""

    model: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """A local model is being loaded; yielded a few times per second."""

    name: str


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A local model is loaded.

    Attributes:
        stage: of the run.
        name: of the model or judge.
        shapes: context parameters of each engine that runs it.
        total: requests of this stage.
    """

    stage: RunStage
    name: str
    shapes: tuple[ContextParams, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer was generated and stored."""

    prompt: Prompt
    generation: Generation


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on the answer of trial `key` was stored."""

    key: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class EngineProgress:
    """Progress of the engines in one stage: ten times per second at most, and at its end.

    Attributes:
        stage: of the run.
        done: completed requests of this stage.
        total: all requests of this stage.
        snapshot: occupied slots and counters of all engines.
        capacity: slots and KV caches of all engines.
        left: expected work until the end of the stage; None while it is unknown.
    """

    stage: RunStage
    done: int
    total: int
    snapshot: Snapshot
    capacity: Capacity
    left: RemainingWork | None = None


@dataclass(frozen=True, slots=True)
class JudgeAsked:
    """A judge on a server is asked for the label of a known answer, before all others."""

    judge: str


@dataclass(frozen=True, slots=True)
class JudgeReady:
    """A judge on a server labelled the known answer.

    Attributes:
        judge: its name.
        request_format: how requests are sent from now on, in words.
        is_correct: whether the label was correct.
        failure: why the known answer has no label: a content filter; "" if it has one.
    """

    judge: str
    request_format: str
    is_correct: bool
    failure: str = ""


@dataclass(frozen=True, slots=True)
class JudgeMeasured:
    """A judge read the control set, or changed its labels of it.

    Attributes:
        judge: its name.
        worth: its agreement with the known labels.
    """

    judge: str
    worth: JudgeWorth


@dataclass(frozen=True, slots=True)
class JudgeCalibrated:
    """A calibrated judge was made of a local one.

    Attributes:
        judge: name of the local judge.
        calibrated: name of the calibrated judge.
        answers: answers with known labels, each predicted by a fit without its scenario.
        before: those that the local judge labels as known.
        after: those that the calibrated judge labels as known.
        gain: of accuracy in percentage points, with 95 % limits; None with one scenario.
    """

    judge: str
    calibrated: str
    answers: int
    before: int
    after: int
    gain: Estimate | None


@dataclass(frozen=True, slots=True)
class JudgeProgress:
    """Progress of a judge on a server.

    Attributes:
        judge: its name.
        done: answers judged in this run, failures included.
        failed: failures among them.
        total: answers queued so far in this run.
        dollars: cost by the server's token counts; None without a price.
    """

    judge: str
    done: int
    failed: int
    total: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """The status of a judge's batch changed.

    Attributes:
        judge: its name.
        id: the server's batch id.
        status: the server's word for the status.
        done: requests of the batch that are complete.
        total: all requests of the batch.
    """

    judge: str
    id: str
    status: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class JudgeStopped:
    """A judge was stopped early; `left` queued answers have no verdict."""

    judge: str
    reason: str
    left: int


@dataclass(frozen=True, slots=True)
class ServerProgress:
    """Progress of a model on servers.

    Attributes:
        model: its name.
        done: prompts answered in this run.
        failed: prompts that failed in this run.
        total: all prompts of this run.
        tokens: new tokens of the answers, by the servers' counts.
        seconds: time since the first request.
        in_flight: prompts sent and not yet answered.
        available: servers that accept requests now.
        servers: all servers of the model.
        views: some of the prompts in flight.
    """

    model: str
    done: int
    failed: int
    total: int
    tokens: int
    seconds: float
    in_flight: int
    available: int
    servers: int
    views: tuple[SlotView, ...]


@dataclass(frozen=True, slots=True)
class ServerLost:
    """A server is not available.

    Attributes:
        model: name of the model that it serves.
        url: its address.
        reason: why it is not available.
        for_good: whether it is never probed again.
    """

    model: str
    url: str
    reason: str
    for_good: bool = False


@dataclass(frozen=True, slots=True)
class ServerFound:
    """A server that was lost is available again."""

    model: str
    url: str


@dataclass(frozen=True, slots=True)
class JudgeWaiting:
    """A judge's server is busy before the first verdict; it is asked again after `seconds`."""

    judge: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ScoringFailed:
    """The unsteered model could not score the answer of trial `key`; the next run tries again."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class ModelStopped:
    """A model was stopped early; `left` prompts have no answer."""

    model: str
    reason: str
    left: int


@dataclass(frozen=True, slots=True)
class ModelLeftOut:
    """A model cannot be planned and has no trial in the experiment; `reason` has a remedy."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelOrdersMeasured:
    """A local judge scored answers in every label order; `effect` is the effect of the order."""

    judge: str
    effect: OrderEffect


WeightsEvent = WeightsProgress | WeightsFetched | WeightsRemoved
"""Downloads and removals of weights during a run."""


@dataclass(frozen=True, slots=True)
class AnswersTooLong:
    """Answers do not fit the context of a local judge; each is stored as a failure.

    Attributes:
        judge: the judge's name.
        total: number of answers that it was to label.
        conditions: number of answers that do not fit, by condition.
        context: the judge's training context in tokens.
    """

    judge: str
    total: int
    conditions: Mapping[str, int]
    context: int


Incident = (
    RequestFailed
    | AnswersTooLong
    | EngineLost
    | EngineRestarted
    | JudgeStopped
    | JudgeWaiting
    | ServerLost
    | ServerFound
    | ModelLeftOut
    | ModelStopped
    | ScoringFailed
)
"""Failures of requests, engines, judges and servers, and recoveries."""

Event = (
    ModelLoading
    | ModelLoaded
    | Generated
    | Judged
    | EngineProgress
    | JudgeAsked
    | JudgeReady
    | JudgeMeasured
    | JudgeCalibrated
    | JudgeProgress
    | BatchProgress
    | LabelOrdersMeasured
    | ServerProgress
    | WeightsEvent
    | Incident
)
