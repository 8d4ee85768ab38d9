"""A Ticker: gathers a run's events, and gives a picture of them a few times a second."""

import time
from collections import Counter

from steertui.analysis.judge_caveats import order_sentence
from steertui.engine.device_groups import CPU
from steertui.engine.events import RequestFailed
from steertui.planning.plan import Plan
from steertui.run import (
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Incident,
    Judged,
    JudgeProgress,
    JudgeReady,
    LabelOrdersMeasured,
    ModelLoaded,
    ModelLoading,
    RunControl,
    ServerProgress,
)
from steertui.run.progress import (
    ThroughputMeter,
    device_names,
    incident_line,
    judge_line,
    server_rate_text,
)
from steertui.store import Store
from steertui.tui.run.draw_rate import DrawRate
from steertui.tui.run.recount import Recount
from steertui.tui.run.run_messages import Kv, Notice, Queue, Stage, Ticked

TICKS = 0.1, 1.0
"""Seconds between two pictures of a run, at the least and at the most."""

SHARE_CARD = 0.1
SHARE_CPU = 0.015
"""Of one core, what drawing a run may take: where an engine computes on all cores it waits for the
slowest of them, and loses more than the screen gains."""


def drawing_pace() -> DrawRate:
    """Return how often a run is drawn, until it is known what an engine computes on."""
    return DrawRate(SHARE_CPU, *TICKS)


class EventAggregator:
    """What happened since the last picture, and when the next one is due."""

    def __init__(self, plan: Plan, store: Store, pace: DrawRate, control: RunControl) -> None:
        self._store, self._plan, self._pace = store, plan.id, pace
        self._control = control
        self._names = {judge.id: judge.name for judge in plan.judges}
        self._failed: Counter[str] = Counter()
        self._reader = ""
        self._meter = ThroughputMeter(control.clock)
        self._tick = Ticked()
        self._told = time.monotonic()
        self._seen = (control.clock(), 0)
        self._recount = Recount(self._told)
        self._progress: EngineProgress | None = None
        self._stepped = 0.0

    def note(self, event: Event) -> None:
        """Take an event."""
        tick = self._tick
        match event:
            case ModelLoaded():
                self._load(event)
            case EngineProgress():
                self._progress, self._stepped = event, time.monotonic()
                self._stand(event, "")
            case Generated(prompt):
                tick.answers.add(prompt.key)
            case Judged(key, verdict):
                tick.verdicts[key, verdict.judge] = verdict
                self._failed[self._names[verdict.judge]] += verdict.label is None
            case JudgeProgress(judge, done, failed, total, dollars):
                tick.queues[judge] = Queue(done, total, failed, dollars)
            case ServerProgress():
                self._serve(event)
            case JudgeReady():
                tick.notices.append(Notice(judge_line(event), is_bad=not event.is_correct))
            case BatchProgress():
                tick.notices.append(Notice(judge_line(event), is_bad=event.status == "failed"))
            case LabelOrdersMeasured(judge, effect):
                tick.notices.append(Notice(order_sentence(judge, effect), is_bad=False))
            case ModelLoading():
                pass
            case _:
                self._add_incident(event)

    def _add_incident(self, event: Incident) -> None:
        self._tick.notices.append(Notice(incident_line(event).removeprefix("! ")))
        if isinstance(event, RequestFailed):
            self._tick.failures[event.id] = event.reason

    def _load(self, event: ModelLoaded) -> None:
        self._meter.start()
        self._seen = (self._control.clock(), 0)
        self._progress = None
        self._reader = event.name if event.stage == "judge" else ""
        self._tick.shape = shape_line(event)
        on_cpu = any(CPU in shape.devices for shape in event.shapes)
        self._pace.share = SHARE_CPU if on_cpu else SHARE_CARD
        if event.stage == "generate":
            self._tick.stages["generate"] = Stage(0, event.total)
        else:
            self._tick.queues[event.name] = Queue(0, event.total)

    def _stand(self, event: EngineProgress, pace: str) -> None:
        """Note how far a stage is."""
        if event.stage == "generate":
            self._tick.stages["generate"] = Stage(event.done, event.total, pace)
            return
        failed = self._failed[self._reader]
        self._tick.queues[self._reader] = Queue(event.done, event.total, failed)
        self._tick.stages["judge"] = Stage(event.done, event.total, pace)

    def due(self) -> Ticked | None:
        """Return the picture if it is time for one; what comes next goes into another."""
        now = time.monotonic()
        if now - self._told < self._pace.gap:
            return None
        if self._progress:
            self._look(self._progress)
            self._progress = None
        self._tick.summary = self._recount.due(self._store, self._plan, now)
        self._told = now
        return self.rest()

    def rest(self) -> Ticked:
        """Return what no picture has shown yet."""
        tick, self._tick = self._tick, Ticked()
        return tick

    def _look(self, event: EngineProgress) -> None:
        """Take a picture of the slots, and the speed once a second."""
        tick, snapshot, capacity = self._tick, event.snapshot, event.capacity
        tick.slots = snapshot.slots if event.stage == "generate" else ()
        tick.room = capacity.slots
        used = min(snapshot.used_cells, capacity.kv_cells)
        tick.kv = Kv(used, capacity.kv_cells, capacity.kv_bytes)
        self._stand(event, self._meter.left_text(event))
        now, (then, tokens) = self._control.clock(), self._seen
        written = snapshot.generated + (snapshot.prefilled if event.stage == "judge" else 0)
        if now - then >= 1.0:
            tick.speed = max(0.0, (written - tokens) / (now - then))
            self._seen = (now, written)

    def _serve(self, event: ServerProgress) -> None:
        """Tell of a model behind servers: what they are at, where no engine here is."""
        done = event.done + event.failed
        self._tick.stages[event.model] = Stage(done, event.total, server_rate_text(event))
        if time.monotonic() - self._stepped > 1.0:  # no engine is at work here
            self._tick.slots, self._tick.room = event.views, event.in_flight


def shape_line(event: ModelLoaded) -> str:
    """Return what is loaded, in what shape: "qwen3.gguf · 32 × 2,048 tokens, f16 · CUDA0"."""
    first = event.shapes[0]
    kind = "unified " if first.unified else ""
    engines = f"{len(event.shapes)} × " if len(event.shapes) > 1 else ""
    size = f"{engines}{first.slots} × {first.slot_tokens:,} tokens, {kind}{first.kv_type}"
    return f"{event.name} · {size} · {', '.join(map(device_names, event.shapes))}"
