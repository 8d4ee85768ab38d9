"""Aggregation of a run's events into a few screen updates per second."""

import time
from collections import Counter

from steertui.analysis.judge_caveats import order_sentence
from steertui.analysis.summary import summarise_experiment
from steertui.engine.device_groups import CPU
from steertui.engine.events import RequestFailed
from steertui.execution import (
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
    LabelOrdersMeasured,
    ModelLoaded,
    ModelLoading,
    RunControl,
    RunStage,
    ServerProgress,
    WeightsFetched,
    WeightsProgress,
    WeightsRemoved,
)
from steertui.execution.later_work import LaterWork
from steertui.execution.progress import (
    ThroughputMeter,
    device_names,
    incident_line,
    judge_line,
    measured_line,
    server_rate_text,
    weights_line,
)
from steertui.planning.plan import Plan
from steertui.store import Store
from steertui.tui.run.draw_rate import DrawRate
from steertui.tui.run.fetching import weights_stage
from steertui.tui.run.run_messages import JudgeQueue, KvUsage, Notice, RunUpdate, Stage
from steertui.tui.run.summary_schedule import SummarySchedule

MIN_INTERVAL = 0.1
"""Minimum seconds between two updates."""

MAX_INTERVAL = 1.0
"""Maximum seconds between two updates while drawing is slow."""

ACCELERATOR_SHARE = 0.1
"""Maximum share of one core that drawing takes while the engine computes on accelerators."""

CPU_SHARE = 0.015
"""Maximum share of one core that drawing takes while the engine computes on the CPU.

There the engine waits for its slowest thread, so a core that draws slows down all of them.
"""


def new_draw_rate() -> DrawRate:
    """Return the draw rate of a run whose devices are not known yet."""
    return DrawRate(CPU_SHARE, MIN_INTERVAL, MAX_INTERVAL)


class EventAggregator:
    """Collects events between two updates of the screen, and decides when one is due."""

    def __init__(self, plan: Plan, store: Store, draw_rate: DrawRate, control: RunControl) -> None:
        self._store = store
        self._plan = plan.id
        self._draw_rate = draw_rate
        self._control = control
        self._judge_names = {judge.id: judge.name for judge in plan.judges}
        self._judge_failures: Counter[str] = Counter()
        self._local_judge = ""
        self._meter = ThroughputMeter(control.clock)
        self._later = LaterWork(plan, store)
        self._update = RunUpdate(notices=[Notice(note, is_bad=False) for note in plan.notes])
        self._updated_at = time.monotonic()
        self._measured_at = control.clock()
        self._measured_tokens = 0
        self._summaries = SummarySchedule(self._updated_at)
        self._progress: EngineProgress | None = None
        self._engine_seen_at = 0.0

    def add(self, event: Event) -> None:
        """Add an event to the next update."""
        update = self._update
        match event:
            case ModelLoaded():
                self._add_model(event)
            case EngineProgress():
                self._meter.add(event)
                self._progress = event
                self._engine_seen_at = time.monotonic()
                self._set_stage(event, "")
            case Generated(prompt):
                update.answered.add(prompt.key)
            case Judged(key, verdict):
                update.verdicts[key, verdict.judge] = verdict
                self._judge_failures[self._judge_names[verdict.judge]] += verdict.label is None
            case JudgeProgress(judge, done, failed, total, dollars):
                update.queues[judge] = JudgeQueue(done, total, failed, dollars)
            case ServerProgress():
                self._add_server_progress(event)
            case JudgeAsked():
                update.notices.append(Notice(judge_line(event), is_bad=False))
            case JudgeReady():
                update.notices.append(Notice(judge_line(event), is_bad=not event.is_correct))
            case BatchProgress():
                update.notices.append(Notice(judge_line(event), is_bad=event.status == "failed"))
            case LabelOrdersMeasured(judge, effect):
                update.notices.append(Notice(order_sentence(judge, effect), is_bad=False))
            case JudgeMeasured():
                line = measured_line(event)
                update.notices.append(Notice(line.removeprefix("! "), is_bad=line.startswith("! ")))
            case ModelLoading() | JudgeCalibrated():
                pass
            case WeightsProgress():
                update.stages |= weights_stage(event)
            case WeightsFetched() | WeightsRemoved():
                update.notices.append(Notice(weights_line(event), is_bad=False))
            case _:
                self._add_incident(event)

    def update_if_due(self) -> RunUpdate | None:
        """Return the update if one is due, else None; later events go into the next one."""
        now = time.monotonic()
        if now - self._updated_at < self._draw_rate.interval:
            return None
        if self._progress:
            self._sample_engine(self._progress)
            self._progress = None
        self._update.summary = self._summaries.summary_if_due(self._store, self._plan, now)
        self._updated_at = now
        return self.take_update()

    def whole_update(self) -> RunUpdate:
        """Return the events since the last update, due or not, with the results so far."""
        if self._progress:
            self._sample_engine(self._progress)
            self._progress = None
        self._update.summary = summarise_experiment(self._store, self._plan)
        return self.take_update()

    def take_update(self) -> RunUpdate:
        """Return the events since the last update, due or not."""
        update = self._update
        self._update = RunUpdate()
        return update

    def _add_incident(self, event: Incident) -> None:
        self._update.notices.append(Notice(incident_line(event).removeprefix("! ")))
        if isinstance(event, RequestFailed):
            self._update.failures[event.id] = event.reason

    def _add_model(self, event: ModelLoaded) -> None:
        self._meter.start()
        self._measured_at = self._control.clock()
        self._measured_tokens = 0
        self._progress = None
        self._local_judge = event.name if event.stage is RunStage.JUDGE else ""
        self._update.shape = shape_line(event)
        self._later.begin(event.name)
        self._update.later = self._later.text
        is_on_cpu = any(CPU in shape.devices for shape in event.shapes)
        self._draw_rate.share = CPU_SHARE if is_on_cpu else ACCELERATOR_SHARE
        if event.stage is RunStage.JUDGE:
            self._update.queues[event.name] = JudgeQueue(0, event.total)
        else:
            self._update.stages[event.stage] = Stage(0, event.total)

    def _set_stage(self, event: EngineProgress, rate: str) -> None:
        """Set the progress of the stage; `rate` is text."""
        self._update.stages[event.stage] = Stage(event.done, event.total, rate)
        if event.stage is RunStage.JUDGE:
            failed = self._judge_failures[self._local_judge]
            self._update.queues[self._local_judge] = JudgeQueue(event.done, event.total, failed)

    def _sample_engine(self, event: EngineProgress) -> None:
        """Record slots and KV cache, and the throughput once per second."""
        update = self._update
        snapshot = event.snapshot
        capacity = event.capacity
        update.slots = snapshot.slots if event.stage is RunStage.GENERATE else ()
        update.slot_count = capacity.slots
        used_cells = min(snapshot.used_cells, capacity.kv_cells)
        update.kv = KvUsage(used_cells, capacity.kv_cells, capacity.kv_bytes)
        self._set_stage(event, self._meter.left_text(event))
        now = self._control.clock()
        is_reading = event.stage is not RunStage.GENERATE
        tokens = snapshot.generated + (snapshot.prefilled if is_reading else 0)
        elapsed = now - self._measured_at
        if elapsed >= 1.0:
            update.throughput = max(0.0, (tokens - self._measured_tokens) / elapsed)
            self._measured_at = now
            self._measured_tokens = tokens

    def _add_server_progress(self, event: ServerProgress) -> None:
        """Set the stage of a model behind servers; show its requests if no engine is at work."""
        done = event.done + event.failed
        self._update.stages[event.model] = Stage(done, event.total, server_rate_text(event))
        if time.monotonic() - self._engine_seen_at > 1.0:
            self._update.slots = event.views
            self._update.slot_count = event.in_flight


def shape_line(event: ModelLoaded) -> str:
    """Return the loaded model and its shape: "qwen3.gguf · 32 × 2,048 tokens, f16 · CUDA0"."""
    first = event.shapes[0]
    kind = "unified " if first.unified else ""
    engines = f"{len(event.shapes)} × " if len(event.shapes) > 1 else ""
    size = f"{engines}{first.slots} × {first.slot_tokens:,} tokens, {kind}{first.kv_type}"
    return f"{event.name} · {size} · {', '.join(map(device_names, event.shapes))}"
