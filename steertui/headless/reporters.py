"""Reporters of headless runs: JSON records, lines, or a progress bar."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from steertui.analysis.judge_caveats import order_sentence
from steertui.analysis.judge_worth import worth_sentence
from steertui.analysis.summary import Summary
from steertui.engine.events import EngineLost, EngineRestarted, RequestFailed
from steertui.execution import (
    AnswersTooLong,
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Incident,
    JudgeAsked,
    JudgeCalibrated,
    Judged,
    JudgeMeasured,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    JudgeWaiting,
    LabelOrdersMeasured,
    ModelLeftOut,
    ModelLoaded,
    ModelLoading,
    ModelStopped,
    ScoringFailed,
    ServerFound,
    ServerLost,
    ServerProgress,
    WeightsFetched,
    WeightsProgress,
    WeightsRemoved,
)
from steertui.execution.events import WeightsEvent
from steertui.execution.plan_lines import plan_lines
from steertui.execution.progress import (
    STAGES,
    ThroughputMeter,
    calibrated_line,
    incident_line,
    judge_line,
    line_interval,
    loaded_line,
    measured_line,
    server_line,
    weights_line,
)
from steertui.planning.plan import Plan
from steertui.printable import print_json, print_line
from steertui.report import record, terminal
from steertui.report.command import show
from steertui.report.rich_tables import line_text
from steertui.standard_streams import use_utf8


class Reporter(Protocol):
    """Output of a headless run."""

    def planned(self, plan: Plan, db: Path) -> None:
        """Show the plan."""

    def show(self, event: Event) -> None:
        """Show an event."""

    def results(self, summary: Summary) -> None:
        """Show the results."""


def choose_reporter(*, as_json: bool) -> Reporter:
    """Return JSON records if asked for, a progress bar on a terminal, lines otherwise."""
    if as_json:
        use_utf8()
        return JsonReporter()
    return BarReporter() if sys.stderr.isatty() and sys.stdout.isatty() else LineReporter()


class JsonReporter:
    """One JSON object per line on stdout."""

    def planned(self, plan: Plan, db: Path) -> None:
        """Write the plan."""
        self._write(
            "planned",
            experiment=plan.id,
            db=str(db),
            trials=len(plan.prompts),
            answered=len(plan.answered),
            reused=plan.reused,
            judges=[judge.name for judge in plan.judges],
            notes=list(plan.notes),
        )

    def show(self, event: Event) -> None:
        """Write one record; progress events are left out."""
        match event:
            case ModelLoaded():
                self._write(
                    "model_loaded",
                    stage=event.stage,
                    name=event.name,
                    requests=event.total,
                    devices=[list(shape.devices) for shape in event.shapes],
                )
            case Generated():
                self._generated(event)
            case Judged(key, verdict):
                self._write(
                    "judged",
                    key=key,
                    judge=verdict.judge,
                    label=verdict.label,
                    failure=verdict.failure,
                    probabilities=verdict.probabilities,
                    reason=verdict.reason,
                )
            case JudgeAsked(judge):
                self._write("judge_asked", judge=judge)
            case JudgeReady():
                self._write("judge_ready", **asdict(event))
            case JudgeMeasured():
                self._measured(event)
            case JudgeCalibrated():
                self._write("judge_calibrated", **asdict(event))
            case BatchProgress():
                self._write("batch", **asdict(event))
            case LabelOrdersMeasured(judge, effect):
                self._write("label_orders", judge=judge, **asdict(effect))
            case WeightsProgress() | WeightsFetched() | WeightsRemoved():
                self._weights(event)
            case ModelLoading() | EngineProgress() | JudgeProgress() | ServerProgress():
                pass
            case _:
                self._incident(event)

    def _generated(self, event: Generated) -> None:
        trial = event.prompt.trial
        generation = event.generation
        self._write(
            "generated",
            key=event.prompt.key,
            model=trial.model.name,
            scenario=trial.scenario.name,
            sample=trial.sample,
            condition=trial.condition.name,
            temperature=trial.sampling.temperature,
            answer=generation.answer,
            reasoning=generation.reasoning,
            stop=generation.stop,
            tokens=generation.tokens,
            seconds=round(generation.seconds, 3),
        )

    def _measured(self, event: JudgeMeasured) -> None:
        worth = event.worth
        sentence = worth_sentence(worth.judge, worth)
        fields = record.worth_record(worth)
        self._write("judge_measured", judge=event.judge, sentence=sentence, **fields)

    def _weights(self, event: WeightsEvent) -> None:
        match event:
            case WeightsFetched(model, size, seconds):
                self._write("weights_fetched", model=model, bytes=size, seconds=round(seconds, 3))
            case WeightsRemoved(model, size):
                self._write("weights_removed", model=model, bytes=size)
            case WeightsProgress():
                pass

    def _incident(self, event: Incident) -> None:
        match event:
            case RequestFailed(key, reason):
                self._write("request_failed", key=key, reason=reason)
            case AnswersTooLong():
                self._write("answers_too_long", **asdict(event))
            case ScoringFailed(key, reason):
                self._write("scoring_failed", key=key, reason=reason)
            case JudgeStopped(judge, reason, left):
                self._write("judge_stopped", judge=judge, reason=reason, unjudged=left)
            case JudgeWaiting(judge, reason, seconds):
                self._write("judge_waiting", judge=judge, reason=reason, seconds=seconds)
            case ServerLost(model, url, reason, for_good):
                self._write("server_lost", model=model, url=url, reason=reason, for_good=for_good)
            case ServerFound(model, url):
                self._write("server_found", model=model, url=url)
            case ModelStopped(model, reason, left):
                self._write("model_stopped", model=model, reason=reason, unanswered=left)
            case ModelLeftOut(model, reason):
                self._write("model_left_out", model=model, reason=reason)
            case EngineRestarted(reason, shape):
                self._write("engine_restarted", reason=reason, slots=shape.slots)
            case EngineLost(reason, shape, left):
                self._write("engine_lost", reason=reason, devices=shape.devices, remaining=left)

    def results(self, summary: Summary) -> None:
        """Write every table."""
        self._write("results", **record.summary_record(summary))

    def _write(self, event: str, **fields: object) -> None:
        print_json({"event": event} | fields)


class LineReporter:
    """Lines for logs and pipes; progress lines come less often, the longer a stage is."""

    def __init__(self) -> None:
        self._out = Console()
        self._meter = ThroughputMeter()
        self._last: dict[type[Event], float] = {}
        self._started = time.monotonic()

    def planned(self, plan: Plan, db: Path) -> None:
        """Print the plan."""
        for line in plan_lines(plan, db):
            self._out.print(line_text(line), soft_wrap=not self._out.is_terminal)

    def show(self, event: Event) -> None:
        """Print a line per loaded model, per stage, and for progress that is due."""
        match event:
            case ModelLoaded():
                self._meter.start()
                self._started = time.monotonic()
                self._last[EngineProgress] = self._started
                self._print_line(loaded_line(event))
            case EngineProgress(done=done, total=total):
                self._meter.add(event)
                if self._is_due(event, self._interval, ended=done == total):
                    self._print_line(f"{done}/{total} {self._meter.text(event)}")
            case JudgeProgress():
                if self._is_due(event, self._interval, ended=event.done == event.total):
                    self._print_line(judge_line(event))
            case ServerProgress():
                if self._is_due(event, self._interval, ended=_is_complete(event)):
                    self._print_line(server_line(event))
            case WeightsProgress():
                if self._is_due(event, self._interval, ended=False):
                    self._print_line(weights_line(event))
            case WeightsFetched() | WeightsRemoved():
                self._print_line(weights_line(event))
            case JudgeAsked() | JudgeReady() | BatchProgress():
                self._print_line(judge_line(event))
            case LabelOrdersMeasured():
                self._print_line(order_sentence(event.judge, event.effect))
            case JudgeMeasured():
                self._print_line(measured_line(event))
            case JudgeCalibrated():
                self._print_line(calibrated_line(event))
            case ModelLoading() | Generated() | Judged():
                pass
            case _:
                self._print_line(incident_line(event))

    @property
    def _interval(self) -> float:
        return line_interval(time.monotonic() - self._started)

    def _is_due(self, event: Event, seconds: float, *, ended: bool) -> bool:
        """Return whether to show a progress event: every `seconds`, and at the end."""
        now = time.monotonic()
        if not ended and now - self._last.get(type(event), 0.0) <= seconds:
            return False
        self._last[type(event)] = now
        return True

    def results(self, summary: Summary) -> None:
        """Print the tables."""
        show(terminal.draw(summary))

    def _print_line(self, line: str) -> None:
        print_line(line, to_stderr=True)


class BarReporter(LineReporter):
    """One progress bar per stage, on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            console=Console(stderr=True),
            auto_refresh=False,
        )
        self._bar: TaskID | None = None

    def show(self, event: Event) -> None:
        """Update the bar at most ten times per second; print other events above it."""
        match event:
            case ModelLoaded():
                self._meter.start()
                self._print_line(loaded_line(event))
                self._bars.start()
                stage = STAGES[event.stage]
                self._bar = self._bars.add_task(stage, total=event.total, rate="")
            case EngineProgress():
                self._meter.add(event)
                self._move_bar(event)
            case JudgeProgress():
                ended = event.done == event.total
                if self._is_due(event, 1.0, ended=ended):
                    self._print(judge_line(event), end="\n" if ended else "\r")
            case ServerProgress():
                ended = _is_complete(event)
                if self._is_due(event, 1.0, ended=ended):
                    self._print(server_line(event), end="\n" if ended else "\r")
            case WeightsProgress():
                if not event.is_ahead and self._is_due(event, 1.0, ended=False):
                    self._print(weights_line(event), end="\r")
            case WeightsFetched() | WeightsRemoved():
                self._print(weights_line(event))
            case JudgeAsked() | JudgeReady() | BatchProgress():
                self._print(judge_line(event))
            case LabelOrdersMeasured():
                sentence = order_sentence(event.judge, event.effect)
                self._bars.console.print(line_text(sentence), soft_wrap=True)
            case JudgeMeasured():
                self._bars.console.print(line_text(measured_line(event)), soft_wrap=True)
            case JudgeCalibrated():
                self._bars.console.print(line_text(calibrated_line(event)), soft_wrap=True)
            case ModelLoading() | Generated() | Judged():
                pass
            case _:
                self._print(incident_line(event))

    def _move_bar(self, event: EngineProgress) -> None:
        if self._bar is None:
            return
        ended = event.done == event.total
        if self._is_due(event, 0.1, ended=ended):
            rate = self._meter.text(event)
            self._bars.update(self._bar, completed=event.done, rate=rate, refresh=True)
        if ended:
            self._bars.stop()
            self._bars.remove_task(self._bar)
            self._bar = None

    def _print(self, line: str, end: str = "\n") -> None:
        self._bars.console.print(line_text(line), end=end)


def _is_complete(event: ServerProgress) -> bool:
    return event.done + event.failed == event.total
