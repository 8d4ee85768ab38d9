"""A Ticker: gathers a run's events, and gives a picture of them a few times a second."""

import time
from collections import Counter

from steertui.analysis.judge_caveats import order_sentence
from steertui.engine.device_groups import CPU
from steertui.engine.events import RequestFailed
from steertui.engine.pool import Pool
from steertui.planning.plan import Plan
from steertui.run import (
    BatchProgress,
    EngineProgress,
    Event,
    Generated,
    Judged,
    JudgeProgress,
    JudgeReady,
    LabelOrdersMeasured,
    ModelLoaded,
    ServerProgress,
)
from steertui.run.events import Holds
from steertui.run.progress import (
    ThroughputMeter,
    Trouble,
    device_names,
    judge_line,
    served_line,
    trouble_line,
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

    def __init__(self, plan: Plan, store: Store, pace: DrawRate) -> None:
        self._store, self._plan, self._pace = store, plan.id, pace
        self._names = {judge.id: judge.name for judge in plan.judges}
        self._failed: Counter[str] = Counter()
        self._reader = ""
        self._meter = ThroughputMeter()
        self._tick = Ticked()
        self._told = time.monotonic()
        self._seen = (self._told, 0)
        self._recount = Recount(self._told)
        self._engine: Pool | None = None
        self._stepped = 0.0
        self._servings: dict[str, Holds] = {}

    def note(self, event: Event) -> None:
        """Take an event."""
        tick = self._tick
        if isinstance(event, ModelLoaded):
            self._load(event)
        elif isinstance(event, EngineProgress):
            self._engine, self._stepped = event.engine, time.monotonic()
            self._stand(event, "")
        elif isinstance(event, Generated):
            tick.answers.add(event.prompt.key)
        elif isinstance(event, Judged):
            judge = event.verdict.judge
            tick.verdicts[event.key, judge] = event.verdict
            self._failed[self._names[judge]] += event.verdict.label is None
        elif isinstance(event, JudgeProgress):
            found = Queue(event.done, event.total, event.failed, event.dollars)
            tick.queues[event.judge] = found
        elif isinstance(event, ServerProgress):
            self._serve(event)
        elif isinstance(event, JudgeReady):
            tick.notices.append(Notice(judge_line(event), is_bad=not event.is_right))
        elif isinstance(event, BatchProgress):
            tick.notices.append(Notice(judge_line(event), is_bad=event.status == "failed"))
        elif isinstance(event, LabelOrdersMeasured):
            said = order_sentence(event.judge, event.effect)
            tick.notices.append(Notice(said, is_bad=False))
        elif isinstance(event, Trouble):
            tick.notices.append(Notice(trouble_line(event).removeprefix("! ")))
            if isinstance(event, RequestFailed):
                tick.failures[event.id] = event.reason

    def _load(self, event: ModelLoaded) -> None:
        self._meter.start()
        self._seen = (time.monotonic(), 0)
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

    def due(self, event: Event) -> Ticked | None:
        """Return the picture if it is time for one; what comes next goes into another."""
        now = time.monotonic()
        if now - self._told < self._pace.gap:
            return None
        if isinstance(event, EngineProgress):
            self._look(event, now)
        self._tick.summary = self._recount.due(self._store, self._plan, now)
        self._told = now
        return self.rest()

    def rest(self) -> Ticked:
        """Return what no picture has shown yet."""
        tick, self._tick = self._tick, Ticked()
        return tick

    def _look(self, event: EngineProgress, now: float) -> None:
        """Take a picture of the slots, and the speed once a second."""
        tick, seen, engine = self._tick, event.snapshot(), event.engine
        tick.slots = seen.slots if event.stage == "generate" else ()
        tick.room, cells = engine.slots, engine.kv_cells
        tick.kv = Kv(min(seen.cells, cells), cells, engine.kv_bytes)
        self._stand(event, self._meter.left_text(event))
        then, tokens = self._seen
        written = seen.written + (seen.prefilled if event.stage == "judge" else 0)
        if now - then >= 1.0:
            tick.speed = max(0.0, (written - tokens) / (now - then))
            self._seen = (now, written)

    def _serve(self, event: ServerProgress) -> None:
        """Tell of a model behind servers: what they are at, where no engine here is."""
        self._servings[event.model] = event.serving
        pace = served_line(event).split("answers", 1)[1].lstrip(", ")
        self._tick.stages[event.model] = Stage(event.done + event.failed, event.total, pace)
        if time.monotonic() - self._stepped > 1.0:  # no engine is at work here
            self._tick.slots, self._tick.room = event.views, event.at_once

    def hold(self, *, held: bool) -> None:
        """Hold everything still that answers, or let it go on."""
        for serving in self._servings.values():
            serving.hold(held=held)
        if self._engine and held:
            self._engine.suspend()
        elif self._engine:
            self._engine.resume()

    def leave_out(self, seconds: float) -> None:
        """Do not count a pause."""
        self._meter.leave_out(seconds)
        self._seen = (self._seen[0] + seconds, self._seen[1])


def shape_line(event: ModelLoaded) -> str:
    """Return what is loaded, in what shape: "qwen3.gguf · 32 × 2,048 tokens, f16 · CUDA0"."""
    first = event.shapes[0]
    kind = "unified " if first.unified else ""
    engines = f"{len(event.shapes)} × " if len(event.shapes) > 1 else ""
    size = f"{engines}{first.slots} × {first.slot_tokens:,} tokens, {kind}{first.kv_type}"
    return f"{event.name} · {size} · {', '.join(map(device_names, event.shapes))}"
