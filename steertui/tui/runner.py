"""A run in a thread of its own, told to the screen in messages, ten a second at most."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from textual.message import Message
from textual.message_pump import MessagePump

from steertui.engine.events import Failed, SlotView
from steertui.engine.pool import Pool
from steertui.engine.sizing import Overrides
from steertui.errors import SteertuiError
from steertui.experiment import Experiment, design
from steertui.panel import DEFAULT, Terms
from steertui.plan import Plan, make_plan
from steertui.progress import Meter, Trouble, dollars, loaded_line, served_line, trouble_line
from steertui.report.summary import Summary, summarise
from steertui.run import Asked, Event, Generated, Judged, Loaded, Served, Stepped, run
from steertui.run.events import Holds
from steertui.store import Cell, Store
from steertui.store.lease import BusyError, is_leased, lease
from steertui.store.overview import mark, news
from steertui.tui.recount import Recount
from steertui.tui.supplying import STAGE, supplying
from steertui.verdict import Verdict

TICK = 0.25
"""Seconds between two pictures of a run: at 0.1 the demo was 10 to 23 % slower on two cores."""


@dataclass
class Planned(Message):
    """The plan is made; the store holds its trials under this id."""

    id: str
    judge: str
    is_along: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """How far generating or judging is; `pace` is in words."""

    done: int
    total: int
    pace: str = ""


@dataclass
class Ticked(Message):
    """What happened since the last tick."""

    stages: dict[str, Stage] = field(default_factory=dict)
    loaded: str = ""
    speed: float | None = None
    trouble: str = ""
    slots: tuple[SlotView, ...] | None = None
    room: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    summary: Summary | None = None


@dataclass
class Ended(Message):
    """The run is over: `trouble` is a sentence, "" if all is done."""

    trouble: str
    stopped: bool
    summary: Summary | None


class Runner:
    """Runs an experiment and posts what happens to `target`; made for one thread worker."""

    def __init__(
        self,
        experiment: Experiment,
        db: Path,
        wish: Overrides,
        target: MessagePump,
        terms: Terms = DEFAULT,
    ) -> None:
        self._experiment, self._db, self._wish, self._terms = experiment, db, wish, terms
        self._target = target
        self._engine: Pool | None = None
        self._servings: dict[str, Holds] = {}
        self._stepped = 0.0
        self._meter = Meter()
        self._seen = (0.0, 0)
        self.stop = threading.Event()
        self.pause = threading.Event()
        self._go_on = threading.Event()

    def work(self) -> None:
        """Run to the end or until `stop` is set; whatever was done is stored."""
        summary = None
        try:
            if not self._supply():
                self._target.post_message(Ended("", True, None))
                return
            with Store(self._db) as store:
                plan = make_plan(design(self._experiment), store, self._terms)
                judge = plan.judges[0].id if plan.judges else ""
                try:
                    with lease(self._db):
                        self._target.post_message(Planned(plan.id, judge, False))
                        self._follow(plan, store)
                except BusyError:
                    self._target.post_message(Planned(plan.id, judge, True))
                    self._read_along(plan, judge, store)
                summary = summarise(store, plan.id)
        except SteertuiError as exc:
            self._target.post_message(Ended(str(exc), False, summary))
            return
        self._target.post_message(Ended("", self.stop.is_set(), summary))

    def _supply(self) -> bool:
        """Fetch what is lacking; return False where `stop` was set before all was here."""
        steps = supplying(self._experiment)
        try:
            for step in steps:
                if self.stop.is_set():
                    return False
                self._target.post_message(Ticked(stages={STAGE: Stage(*step)}))
        finally:
            steps.close()
        return True

    def _read_along(self, plan: Plan, judge: str, store: Store) -> None:
        """Tell what another process stores, once a second, until it has ended."""
        seen, busy = mark(store), True
        while busy and not self.stop.wait(1.0):
            busy, now = is_leased(self._db), mark(store)
            if now != seen:
                cells = news(store, plan.id, judge, seen, now)
                summary = summarise(store, plan.id)
                self._target.post_message(Ticked(cells=cells, summary=summary))
                seen = now

    def go_on(self) -> None:
        """End a pause."""
        self.pause.clear()
        self._go_on.set()

    def halt(self) -> None:
        """Stop, paused or not."""
        self.stop.set()
        self._go_on.set()

    def _follow(self, plan: Plan, store: Store) -> None:
        tick = Ticked()
        told = time.monotonic()
        recount = Recount(told)
        events = run(plan, store, self._wish, self._terms)
        try:
            for event in events:
                if self.stop.is_set():
                    return
                self._note(tick, event)
                if self.pause.is_set():
                    self._wait()
                now = time.monotonic()
                if now - told < TICK:
                    continue
                if isinstance(event, Stepped):
                    self._look(tick, event, now)
                tick.summary = recount.due(store, plan.id, now)
                self._target.post_message(tick)
                tick, told = Ticked(), now
        finally:
            events.close()
            self._target.post_message(tick)

    def _note(self, tick: Ticked, event: Event) -> None:
        if isinstance(event, Loaded):
            self._meter.start()
            self._seen = (time.monotonic(), 0)
            tick.loaded = loaded_line(event)
            tick.stages[event.stage] = Stage(0, event.total)
        elif isinstance(event, Stepped):
            self._engine, self._stepped = event.engine, time.monotonic()
            tick.stages[event.stage] = Stage(event.done, event.total)
        elif isinstance(event, Generated):
            tick.answers[event.prompt.key] = event.generation.answer
        elif isinstance(event, Judged):
            tick.verdicts[event.key] = event.verdict
        elif isinstance(event, Asked):
            tick.stages["judge"] = Stage(event.done, event.total, dollars(event.dollars)[2:])
        elif isinstance(event, Served):
            self._serve(tick, event)
        elif isinstance(event, Trouble):
            tick.trouble = trouble_line(event)
            if isinstance(event, Failed):
                tick.failures[event.id] = event.reason

    def _serve(self, tick: Ticked, event: Served) -> None:
        """Tell of a model behind servers: what they are at, where no engine here is."""
        self._servings[event.model] = event.serving
        done = event.done + event.failed
        pace = served_line(event).split("answers", 1)[1].lstrip(", ")
        tick.stages[event.model] = Stage(done, event.total, pace)
        if time.monotonic() - self._stepped > 1.0:  # no engine is at work here
            tick.slots, tick.room = event.views, event.at_once

    def _look(self, tick: Ticked, event: Stepped, now: float) -> None:
        """Take a picture of the slots, and the speed once a second."""
        seen = event.snapshot()
        tick.slots = seen.slots if event.stage == "generate" else ()
        tick.room = event.engine.slots
        tick.stages[event.stage] = Stage(event.done, event.total, self._meter.text(event))
        then, tokens = self._seen
        written = seen.written + (seen.prefilled if event.stage == "judge" else 0)
        if now - then >= 1.0:
            tick.speed = max(0.0, (written - tokens) / (now - then))
            self._seen = (now, written)

    def _wait(self) -> None:
        """Hold the engine still until the pause ends; its answers stay half written in it."""
        begin = time.monotonic()
        for serving in self._servings.values():
            serving.hold(held=True)
        if self._engine:
            self._engine.suspend()
        try:
            while self.pause.is_set() and not self.stop.is_set():
                self._go_on.wait()
                self._go_on.clear()
        finally:
            if self._engine:
                self._engine.resume()
            for serving in self._servings.values():
                serving.hold(held=False)
            lost = time.monotonic() - begin
            self._meter.leave_out(lost)
            self._seen = (self._seen[0] + lost, self._seen[1])
