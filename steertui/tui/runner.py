"""A run in a thread of its own, told to the screen in messages, ten a second at most."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from textual.message import Message
from textual.message_pump import MessagePump

from steertui.engine.engine import SlotView
from steertui.engine.process import Failed, Restarted
from steertui.engine.sizing import Overrides
from steertui.errors import SteertuiError
from steertui.experiment import Design
from steertui.plan import Plan, make_plan
from steertui.progress import Meter, trouble_line
from steertui.report.summary import Summary, summarise
from steertui.run import Event, Generated, Judged, Loaded, Stepped, run
from steertui.store import Cell, Store
from steertui.verdict import Verdict

TICK = 0.1
RECOUNT = 1.0


@dataclass
class Planned(Message):
    """The plan is made; `cells` tells what was there before, by trial: its answer and label."""

    plan: Plan
    summary: Summary
    cells: dict[str, Cell]


@dataclass
class Ticked(Message):
    """What happened since the last tick."""

    stage: str = ""
    done: int = 0
    total: int = 0
    pace: str = ""
    trouble: str = ""
    slots: tuple[SlotView, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    summary: Summary | None = None


@dataclass
class Ended(Message):
    """The run is over: `trouble` is a sentence, "" if all is done."""

    trouble: str
    stopped: bool
    summary: Summary | None


class Runner:
    """Runs a design and posts what happens to `target`; made for one thread worker."""

    def __init__(self, design: Design, db: Path, wish: Overrides, target: MessagePump) -> None:
        self._design, self._db, self._wish = design, db, wish
        self._target = target
        self.stop = threading.Event()

    def work(self) -> None:
        """Run to the end or until `stop` is set; whatever was done is stored."""
        summary = None
        try:
            with Store(self._db) as store:
                plan = make_plan(self._design, store)
                judge = plan.judges[0].id if plan.judges else ""
                cells = store.cells(plan.id, judge)
                self._target.post_message(Planned(plan, summarise(store, plan.id), cells))
                self._follow(plan, store)
                summary = summarise(store, plan.id)
        except SteertuiError as exc:
            self._target.post_message(Ended(str(exc), False, summary))
            return
        self._target.post_message(Ended("", self.stop.is_set(), summary))

    def _follow(self, plan: Plan, store: Store) -> None:
        tick, meter = Ticked(), Meter()
        told = counted = time.monotonic()
        events = run(plan, store, self._wish)
        try:
            for event in events:
                if self.stop.is_set():
                    return
                _note(tick, event, meter)
                now = time.monotonic()
                if now - told < TICK:
                    continue
                if now - counted > RECOUNT:
                    tick.summary, counted = summarise(store, plan.id), now
                if isinstance(event, Stepped):
                    tick.pace, tick.slots = meter.text(event), event.snapshot().slots
                self._target.post_message(tick)
                tick, told = Ticked(), now
        finally:
            events.close()
            self._target.post_message(tick)


def _note(tick: Ticked, event: Event, meter: Meter) -> None:
    if isinstance(event, Loaded):
        meter.start()
        tick.stage, tick.total = event.stage, event.total
    elif isinstance(event, Stepped):
        tick.stage, tick.done, tick.total = event.stage, event.done, event.total
    elif isinstance(event, Generated):
        tick.answers[event.prompt.key] = event.generation.answer
    elif isinstance(event, Failed | Restarted):
        tick.trouble = trouble_line(event)
    else:
        assert isinstance(event, Judged)
        tick.verdicts[event.key] = event.verdict
