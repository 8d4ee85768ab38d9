"""Events of a run as text: throughput, time left, incidents."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from steertui.analysis.judge_worth import Standing, worth_sentence
from steertui.engine.context import ContextParams
from steertui.engine.events import EngineLost, EngineRestarted, RequestFailed
from steertui.execution.events import (
    AnswersTooLong,
    BatchProgress,
    EngineProgress,
    Incident,
    JudgeAsked,
    JudgeCalibrated,
    JudgeMeasured,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    JudgeWaiting,
    ModelLeftOut,
    ModelLoaded,
    ModelStopped,
    RunStage,
    ScoringFailed,
    ServerFound,
    ServerLost,
    ServerProgress,
    WeightsEvent,
    WeightsFetched,
    WeightsProgress,
    WeightsRemoved,
)
from steertui.execution.remaining_work import StepCost
from steertui.units import clock, quantity, size_text, verb

STAGES: Mapping[str, str] = {
    RunStage.GENERATE: "answers",
    RunStage.SCORE: "log-likelihoods",
    RunStage.JUDGE: "labels",
}
"""What each stage produces."""

_ACTIONS = {
    RunStage.GENERATE: "Answering with",
    RunStage.SCORE: "Scoring answers by the unsteered",
    RunStage.JUDGE: "Judging by",
}

MIN_SPREAD = 1.05
"""Factor of the prediction interval from which a time left has a range."""


class ThroughputMeter:
    """Throughput and time left of a stage since its start, of this model or judge alone."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Measure time with `now`, in seconds; `RunControl.clock` leaves pauses out."""
        self._now = now
        self.start()

    def start(self) -> None:
        """Start a new measurement."""
        self._start = self._now()
        self._cost = StepCost()

    def add(self, event: EngineProgress) -> None:
        """Measure the cost of the steps since the previous event."""
        self._cost.add(self._now() - self._start, event.snapshot)

    def text(self, event: EngineProgress) -> str:
        """Return "412 new tokens/s, 2:10 left"; where texts are read, "tokens/s" are all tokens."""
        seconds = max(self._now() - self._start, 1e-6)
        snapshot = event.snapshot
        rate = f"{snapshot.generated / seconds:,.0f} new tokens/s"
        if event.stage is not RunStage.GENERATE:
            rate = f"{(snapshot.generated + snapshot.prefilled) / seconds:,.0f} tokens/s"
        return f"{rate}, {self.left_text(event) or clock(seconds)}"

    def left_text(self, event: EngineProgress) -> str:
        """Return "2:10 left (1:50 to 2:30)"; "" while nothing is known, and at the end.

        Before an answer is complete it is "up to about 3:00 left": all answers have the maximum
        length.
        The range is the prediction interval over the lengths of the answers, at the speed so
        far. It is left out below `MIN_SPREAD`.
        """
        seconds = None if event.left is None else self._cost.seconds(event.left)
        if seconds is None or event.left is None or event.done == event.total:
            return ""
        if event.left.is_limit:
            return f"up to about {clock(seconds)} left"
        spread = event.left.spread
        limits = f" ({clock(seconds / spread)} to {clock(seconds * spread)})"
        return f"{clock(seconds)} left{limits if spread >= MIN_SPREAD else ''}"

    def seconds_left(self, event: EngineProgress) -> float | None:
        """Return the expected seconds until the end of the stage; None if they are unknown."""
        if event.left is None or event.left.is_limit or event.done == event.total:
            return None
        return self._cost.seconds(event.left)


def line_interval(seconds: float) -> float:
    """Return the seconds until the next progress line, `seconds` after the start of a stage.

    It is a tenth of the time so far, at least ten seconds and at most ten minutes, so that an hour
    has 48 lines and a day 187.
    """
    return min(600.0, max(10.0, seconds / 10))


def loaded_line(event: ModelLoaded) -> str:
    """Return the name of the loaded model or judge, and the shape of its contexts."""
    first, *others = event.shapes
    work = f"{_ACTIONS[event.stage]} {event.name}: {event.total} {STAGES[event.stage]} pending"
    if all(replace(shape, devices=first.devices) == first for shape in others):
        engines = f"{len(event.shapes)} engines, each of " if others else ""
        names = ", ".join(dict.fromkeys(map(device_names, event.shapes)))
        return f"{work}; {engines}{_shape_text(first)}, on {names}"
    return "; ".join([work, *(f"{_shape_text(s)}, on {device_names(s)}" for s in event.shapes)])


def _shape_text(shape: ContextParams) -> str:
    tokens = str(shape.slot_tokens)
    if shape.longest > shape.slot_tokens:
        tokens += f" (up to {shape.longest} if needed)"
    parts = [
        f"{quantity(shape.slots, 'slot')} of {tokens} tokens",
        f"{'unified' if shape.unified else 'split'} {shape.kv_type} KV cache",
        f"flash attention {'on' if shape.flash else 'off'}",
        quantity(shape.threads, "thread"),
    ]
    if shape.gpu_layers >= 0:
        parts.append(f"{shape.gpu_layers} layers offloaded")
    return ", ".join(parts)


def device_names(shape: ContextParams) -> str:
    """Return the devices of an engine, such as "CUDA0+CUDA1"."""
    return "+".join(shape.devices)


def judge_line(event: JudgeAsked | JudgeReady | JudgeProgress | BatchProgress) -> str:
    """Return the state of a judge on a server: request format, progress, cost."""
    match event:
        case JudgeAsked():
            return f"Asking {event.judge} for the label of a known answer"
        case JudgeReady():
            return f"Judging by {event.judge}: {event.request_format}{_known_answer_text(event)}"
        case BatchProgress():
            return f"{event.judge}: batch {event.id} {event.status}, {event.done} of {event.total}"
        case JudgeProgress():
            failed = f", {event.failed} failed" if event.failed else ""
            cost = dollars(event.dollars)
            return f"{event.judge}: {event.done}/{event.total} verdicts{failed}{cost}"


def _known_answer_text(event: JudgeReady) -> str:
    """Return a warning if the known answer has no label or a wrong one, "" otherwise."""
    if event.is_correct:
        return ""
    problem = "WRONG label for the known answer"
    if event.failure:
        problem = f"NO label for the known answer ({event.failure})"
    return f"; {problem}: check its verdicts before you use them"


def measured_line(event: JudgeMeasured) -> str:
    """Return what a judge is worth; "! " marks a judge that is not usable."""
    mark = "" if event.worth.standing is Standing.USABLE else "! "
    return f"{mark}{worth_sentence(event.worth.judge, event.worth)}"


def calibrated_line(event: JudgeCalibrated) -> str:
    """Return what a calibration gains, cross-validated by scenario; "! " if that is not shown."""
    gain = event.gain
    interval = f" (95 % interval {gain.low:+.1f} to {gain.high:+.1f} points)" if gain else ""
    helps = gain is not None and gain.low > 0
    result = "accuracy rises" if helps else "accuracy is not shown to rise"
    return (
        f"{'' if helps else '! '}{event.calibrated}: {event.after} of {event.answers} answers "
        f"labelled as known, {event.before} before calibration{interval}, cross-validated by "
        f"scenario: {result}"
    )


def dollars(amount: float | None) -> str:
    """Return ", $0.21"; "" if the amount is zero or unknown."""
    if not amount:
        return ""
    return f", ${amount:.2f}" if amount >= 0.995 else f", ${amount:.4f}"


def server_line(event: ServerProgress) -> str:
    """Return the progress of a model on servers: answers, failures, throughput, time left."""
    return f"{event.model}: {event.done}/{event.total} answers, {server_rate_text(event)}"


def server_rate_text(event: ServerProgress) -> str:
    """Return failures, throughput, requests in flight and time left of a model on servers."""
    ended = event.done + event.failed
    seconds = max(event.seconds, 1e-6)
    left = clock(seconds)
    if 0 < ended < event.total:
        left = f"{clock(seconds * (event.total - ended) / ended)} left"
    parts = [
        f"{event.tokens / seconds:,.0f} new tokens/s",
        f"{event.in_flight} in flight on {event.available} of {event.servers} servers",
        left,
    ]
    if event.failed:
        parts.insert(0, f"{event.failed} failed")
    return ", ".join(parts)


def weights_line(event: WeightsEvent) -> str:
    """Return the state of a model's weights: awaited, fetched or removed."""
    match event:
        case WeightsProgress():
            why = f"; {event.reason}" if event.reason else ""
            received = f"{size_text(event.done)} of {size_text(event.total)}"
            verb = "Fetching" if event.is_ahead else "Waiting for"
            return f"{verb} the weights of {event.model}: {received}{why}"
        case WeightsFetched():
            time = clock(event.seconds)
            return f"Weights of {event.model}: {size_text(event.size)} fetched in {time}, verified"
        case WeightsRemoved():
            return f"Weights of {event.model}: {size_text(event.size)} removed"


def incident_line(event: Incident) -> str:
    """Return one sentence about an incident; "! " marks failures."""
    match event:
        case RequestFailed():
            return f"! failed: {event.id[:12]}: {event.reason}"
        case AnswersTooLong():
            counts = ", ".join(f"{name} {count}" for name, count in event.conditions.items())
            return (
                f"! {event.judge}: {sum(event.conditions.values()):,} of {event.total:,} answers "
                f"are too long for its training context of {event.context:,} tokens and stay "
                f"without a label ({counts}); the others may differ from them, so use a judge with "
                "a longer context"
            )
        case EngineRestarted():
            return (
                f"! the engine on {device_names(event.shape)} died ({event.reason}); "
                f"restarted with {quantity(event.shape.slots, 'slot')}"
            )
        case EngineLost():
            others = verb(event.left, "engine", f"{event.left} engines")
            return (
                f"! the engine on {device_names(event.shape)} is given up ({event.reason}); "
                f"its requests go to the other {others}"
            )
        case JudgeStopped() | ModelStopped() | ModelLeftOut():
            return f"! {_incomplete_sentence(event)}"
        case JudgeWaiting():
            return f"! {event.reason}; asking again in {event.seconds:.0f} s"
        case ScoringFailed():
            return f"! not scored: {event.key[:12]}: {event.reason}"
        case ServerLost():
            next_step = "not used again" if event.for_good else "waiting until it is available"
            return f"! {event.model}: {event.url} is lost ({event.reason}); {next_step}"
        case ServerFound():
            return f"{event.model}: {event.url} is available again"


def _incomplete_sentence(event: JudgeStopped | ModelStopped | ModelLeftOut) -> str:
    match event:
        case JudgeStopped(judge, reason, left):
            return (
                f"{judge} was stopped: {reason}; {quantity(left, 'answer')} "
                f"{verb(left, 'is', 'are')} left unjudged, run the same command to continue"
            )
        case ModelStopped(model, reason, left):
            return (
                f"{model} was stopped: {reason}; {quantity(left, 'prompt')} "
                f"{verb(left, 'is', 'are')} left unanswered, run the same command to continue"
            )
        case ModelLeftOut(model, reason):
            return (
                f"{model} is left out of the experiment: {reason}; after that, run "
                "it again: it keeps all answers and adds this model"
            )
