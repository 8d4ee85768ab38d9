"""A run in a thread of its own, told to the screen in messages, ten a second at most."""

import threading
import time
from pathlib import Path

from textual.message_pump import MessagePump

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.errors import SteertuiError
from steertui.planning.consent import remember
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeServerOptions
from steertui.planning.origin import TYPED
from steertui.planning.plan import Plan, make_plan
from steertui.planning.resolve import resolve
from steertui.run import run
from steertui.store import Store
from steertui.store.progress_queries import changes_between, mark
from steertui.store.run_lock import BusyError, is_locked, run_lock
from steertui.tui.run.event_aggregator import EventAggregator, drawing_pace
from steertui.tui.run.fetching import STAGE, supplying
from steertui.tui.run.run_messages import Ended, Planned, Stage, Ticked


class Runner:
    """Runs an experiment and posts what happens to `target`; made for one thread worker."""

    def __init__(
        self,
        experiment: Experiment,
        db: Path,
        wish: Overrides,
        target: MessagePump,
        terms: JudgeServerOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._experiment, self._db, self._wish, self._terms = experiment, db, wish, terms
        self._target = target
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._go_on = threading.Event()
        self._pace = drawing_pace()

    @property
    def is_paused(self) -> bool:
        """Whether it holds still."""
        return self._pause.is_set()

    def pause(self) -> None:
        """Hold still after this step."""
        self._pause.set()

    def go_on(self) -> None:
        """End a pause."""
        self._pause.clear()
        self._go_on.set()

    def drawn(self, seconds: float) -> None:
        """Hear what drawing took since the last message; the more, the fewer there are."""
        self._pace.took(seconds)

    def halt(self) -> None:
        """Stop, paused or not."""
        self._stop.set()
        self._go_on.set()

    # What follows runs in the thread.

    def work(self) -> None:
        """Run to the end or until halted; whatever was done is stored."""
        summary, trouble = None, ""
        try:
            remember(self._experiment, TYPED)
            if self._supply():
                with Store(self._db) as store:
                    summary = self._run(store)
        except SteertuiError as exc:
            trouble = str(exc)
        self._target.post_message(Ended(trouble, self._stop.is_set(), summary))

    def _supply(self) -> bool:
        """Fetch what is lacking; return False where it was halted before all was here."""
        steps = supplying(self._experiment)
        try:
            for step in steps:
                if self._stop.is_set():
                    return False
                self._target.post_message(Ticked(stages={STAGE: Stage(*step)}))
        finally:
            steps.close()
        return True

    def _run(self, store: Store) -> Summary:
        plan = make_plan(resolve(self._experiment), store, self._terms)
        judge = plan.judges[0].id if plan.judges else ""
        try:
            with run_lock(self._db):
                self._target.post_message(Planned(plan.id, judge, False))
                self._follow(plan, store)
        except BusyError:
            self._target.post_message(Planned(plan.id, judge, True))
            self._read_along(plan, judge, store)
        return summarise_experiment(store, plan.id)

    def _read_along(self, plan: Plan, judge: str, store: Store) -> None:
        """Tell what another process stores, once a second, until it has ended."""
        seen, busy = mark(store), True
        while busy and not self._stop.wait(1.0):
            busy, now = is_locked(self._db), mark(store)
            if now != seen:
                cells = changes_between(store, plan.id, judge, seen, now)
                summary = summarise_experiment(store, plan.id)
                self._target.post_message(Ticked(cells=cells, summary=summary))
                seen = now

    def _follow(self, plan: Plan, store: Store) -> None:
        ticker = EventAggregator(plan, store, self._pace)
        events = run(plan, store, self._wish, self._terms)
        try:
            for event in events:
                if self._stop.is_set():
                    return
                ticker.note(event)
                if self._pause.is_set():
                    self._wait(ticker)
                if tick := ticker.due(event):
                    self._target.post_message(tick)
        finally:
            events.close()
            self._target.post_message(ticker.rest())

    def _wait(self, ticker: EventAggregator) -> None:
        """Hold the engine still until the pause ends; its answers stay half written in it."""
        begin = time.monotonic()
        ticker.hold(held=True)
        try:
            while self._pause.is_set() and not self._stop.is_set():
                self._go_on.wait()
                self._go_on.clear()
        finally:
            ticker.hold(held=False)
            ticker.leave_out(time.monotonic() - begin)
