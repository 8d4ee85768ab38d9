"""A run in a thread of its own, told to the screen in messages, ten a second at most."""

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
from steertui.run import RunControl, run
from steertui.store import Store
from steertui.store.progress_queries import changes_between, current_mark
from steertui.store.run_lock import BusyError, is_locked, run_lock
from steertui.tui.run.event_aggregator import EventAggregator, drawing_pace
from steertui.tui.run.fetching import STAGE, supplying
from steertui.tui.run.run_messages import Ended, Planned, Stage, Ticked


class Runner:
    """Runs an experiment and posts what happens to `target`; made for one thread worker.

    Attributes:
        control: pause, resume, stop and slots of this run.
    """

    def __init__(
        self,
        experiment: Experiment,
        db: Path,
        overrides: Overrides,
        target: MessagePump,
        *,
        options: JudgeServerOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._experiment = experiment
        self._db = db
        self._overrides = overrides
        self._options = options
        self._target = target
        self._pace = drawing_pace()
        self.control = RunControl()

    def drawn(self, seconds: float) -> None:
        """Hear what drawing took since the last message; the more, the fewer there are."""
        self._pace.took(seconds)

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
        self._target.post_message(Ended(trouble, self.control.is_stopped, summary))

    def _supply(self) -> bool:
        """Fetch what is lacking; return False where it was halted before all was here."""
        steps = supplying(self._experiment)
        try:
            for step in steps:
                if self.control.is_stopped:
                    return False
                self._target.post_message(Ticked(stages={STAGE: Stage(*step)}))
        finally:
            steps.close()
        return True

    def _run(self, store: Store) -> Summary:
        plan = make_plan(resolve(self._experiment), store, self._options)
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
        seen, busy = current_mark(store), True
        while busy and not self.control.wait_for_stop(1.0):
            busy, now = is_locked(self._db), current_mark(store)
            if now != seen:
                cells = changes_between(store, plan.id, judge, seen, now)
                summary = summarise_experiment(store, plan.id)
                self._target.post_message(Ticked(cells=cells, summary=summary))
                seen = now

    def _follow(self, plan: Plan, store: Store) -> None:
        ticker = EventAggregator(plan, store, self._pace, self.control)
        events = run(plan, store, self._overrides, self._options, control=self.control)
        try:
            for event in events:
                ticker.note(event)
                if tick := ticker.due():
                    self._target.post_message(tick)
        finally:
            events.close()
            self._target.post_message(ticker.rest())
