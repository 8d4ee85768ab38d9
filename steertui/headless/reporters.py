"""What shows a headless run: records, lines or bars."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from steertui.analysis.judge_caveats import order_sentence
from steertui.analysis.summary import Summary
from steertui.engine.events import EngineLost, EngineRestarted, RequestFailed
from steertui.planning.plan import Plan
from steertui.report import record, terminal
from steertui.report.command import show
from steertui.run import (
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Judged,
    JudgeProgress,
    JudgeReady,
    JudgeStopped,
    LabelOrdersMeasured,
    ModelLoaded,
    ServerFound,
    ServerLost,
    ServerModelStopped,
    ServerProgress,
)
from steertui.run.progress import (
    STAGES,
    ThroughputMeter,
    Trouble,
    judge_line,
    loaded_line,
    plan_lines,
    served_line,
    trouble_line,
)
from steertui.standard_streams import use_utf8


class Reporter(Protocol):
    """What shows a run."""

    def planned(self, plan: Plan, db: Path) -> None:
        """Show what will be done."""

    def show(self, event: Event) -> None:
        """Show that something was done."""

    def results(self, summary: Summary) -> None:
        """Show what was found."""


def choose_reporter(*, as_json: bool) -> Reporter:
    """Return the face that fits: records, bars on a terminal, lines elsewhere."""
    if as_json:
        use_utf8()
        return JsonReporter()
    return BarReporter() if sys.stderr.isatty() and sys.stdout.isatty() else LineReporter()


class JsonReporter:
    """A JSON object a line on stdout."""

    def planned(self, plan: Plan, db: Path) -> None:
        """Write the plan."""
        trials, judges = len(plan.prompts), [judge.name for judge in plan.judges]
        counts = {"trials": trials, "answered": len(plan.answered), "judges": judges}
        self._write("planned", experiment=plan.id, db=str(db), **counts)

    def show(self, event: Event) -> None:
        """Write answers and verdicts; steps are left out."""
        if isinstance(event, ModelLoaded):
            devices = [list(s.devices) for s in event.shapes]
            told = {"stage": event.stage, "name": event.name, "requests": event.total}
            self._write("loaded", **told, devices=devices)
        elif isinstance(event, Generated):
            t, g = event.prompt.trial, event.generation
            trial = {"model": t.model.name, "scenario": t.scenario.name, "sample": t.sample}
            cell = {"condition": t.condition.name, "temperature": t.sampling.temperature}
            wrote = {"answer": g.answer, "reasoning": g.reasoning, "stop": g.stop}
            cost = {"tokens": g.tokens, "seconds": round(g.seconds, 3)}
            self._write("generated", key=event.prompt.key, **trial, **cell, **wrote, **cost)
        elif isinstance(event, Judged):
            v = event.verdict
            read = {"label": v.label, "failure": v.failure, "probabilities": v.probabilities}
            self._write("judged", key=event.key, judge=v.judge, **read, reason=v.reason)
        elif isinstance(event, RequestFailed):
            self._write("failed", key=event.id, reason=event.reason)
        elif isinstance(event, JudgeReady):
            self._write("opened", judge=event.judge, way=event.way, is_right=event.is_right)
        elif isinstance(event, BatchProgress):
            self._write("batched", **asdict(event))
        elif isinstance(event, JudgeStopped):
            self._write("stopped", judge=event.judge, reason=event.reason, left=event.left)
        elif isinstance(event, LabelOrdersMeasured):
            self._write("ordered", judge=event.judge, **asdict(event.effect))
        elif isinstance(event, ServerLost):
            about = {"reason": event.reason, "for_good": event.for_good}
            self._write("server_lost", model=event.model, url=event.url, **about)
        elif isinstance(event, ServerFound):
            self._write("server_found", model=event.model, url=event.url)
        elif isinstance(event, ServerModelStopped):
            self._write("unserved", model=event.model, reason=event.reason, left=event.left)
        elif isinstance(event, EngineRestarted):
            self._write("restarted", reason=event.reason, slots=event.shape.slots)
        elif isinstance(event, EngineLost):
            self._write("lost", reason=event.reason, devices=event.shape.devices, left=event.left)

    def results(self, summary: Summary) -> None:
        """Write every table."""
        self._write("results", **record.of_summary(summary))

    def _write(self, event: str, **fields: object) -> None:
        print(json.dumps({"event": event} | fields, ensure_ascii=False), flush=True)


class LineReporter:
    """Plain lines, a progress line every ten seconds: for logs and pipes."""

    EVERY = 10.0

    def __init__(self) -> None:
        self._out = Console()
        self._meter = ThroughputMeter()
        self._last = self._last_asked = self._last_served = 0.0

    def planned(self, plan: Plan, db: Path) -> None:
        """Print the plan."""
        for line in plan_lines(plan, db):
            self._out.print(Text(line), soft_wrap=not self._out.is_terminal)

    def show(self, event: Event) -> None:
        """Print a line when a model is loaded, when it is done, and now and then."""
        if isinstance(event, ModelLoaded):
            self._meter.start()
            self._last = time.monotonic()
            self._tell(loaded_line(event))
        elif isinstance(event, EngineProgress):
            due = time.monotonic() - self._last > self.EVERY
            if due or event.done == event.total:
                self._last = time.monotonic()
                self._tell(f"{event.done}/{event.total} {self._meter.text(event)}")
        elif isinstance(event, JudgeReady | BatchProgress):
            self._tell(judge_line(event))
        elif isinstance(event, LabelOrdersMeasured):
            self._tell(order_sentence(event.judge, event.effect))
        elif isinstance(event, JudgeProgress):
            self._asked(event)
        elif isinstance(event, ServerProgress):
            self._served(event)
        elif isinstance(event, Trouble):
            self._tell(trouble_line(event))

    def _served(self, event: ServerProgress) -> None:
        ended = event.done + event.failed == event.total
        if ended or time.monotonic() - self._last_served > self.EVERY:
            self._last_served = time.monotonic()
            self._tell(served_line(event))

    def _asked(self, event: JudgeProgress) -> None:
        if event.done == event.total or time.monotonic() - self._last_asked > self.EVERY:
            self._last_asked = time.monotonic()
            self._tell(judge_line(event))

    def results(self, summary: Summary) -> None:
        """Print the tables."""
        show(terminal.draw(summary))

    def _tell(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class BarReporter(LineReporter):
    """A bar for each stage, on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}")
        self._bars = Progress(
            TextColumn("{task.description}"), *columns, console=Console(stderr=True),
            auto_refresh=False,
        )  # fmt: skip
        self._bar: TaskID | None = None

    def show(self, event: Event) -> None:
        """Move the bar, ten times a second at most."""
        if isinstance(event, ModelLoaded):
            self._meter.start()
            self._tell(loaded_line(event))
            self._bars.start()
            what = STAGES[event.stage]
            self._bar = self._bars.add_task(what, total=event.total, pace="")
        elif isinstance(event, EngineProgress) and self._bar is not None:
            ended = event.done == event.total
            if ended or time.monotonic() - self._last > 0.1:
                self._last = time.monotonic()
                pace = self._meter.text(event)
                self._bars.update(self._bar, completed=event.done, pace=pace, refresh=True)
            if ended:
                self._bars.stop()
                self._bars.remove_task(self._bar)
                self._bar = None
        elif isinstance(event, JudgeProgress):
            self._asked(event)
        elif isinstance(event, ServerProgress):
            self._served(event)
        elif isinstance(event, JudgeReady | BatchProgress):
            self._bars.console.print(Text(judge_line(event)))
        elif isinstance(event, LabelOrdersMeasured):
            said = order_sentence(event.judge, event.effect)
            self._bars.console.print(Text(said), soft_wrap=True)
        elif isinstance(event, Trouble):
            self._bars.console.print(Text(trouble_line(event)))

    def _asked(self, event: JudgeProgress) -> None:
        ended = event.done == event.total
        if ended or time.monotonic() - self._last_asked > 1:
            self._last_asked = time.monotonic()
            self._bars.console.print(Text(judge_line(event)), end="\n" if ended else "\r")

    def _served(self, event: ServerProgress) -> None:
        ended = event.done + event.failed == event.total
        if ended or time.monotonic() - self._last_served > 1:
            self._last_served = time.monotonic()
            self._bars.console.print(Text(served_line(event)), end="\n" if ended else "\r")
