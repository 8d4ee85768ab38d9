"""Runner of an experiment in a thread of its own; it posts messages to the Run screen."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from textual.message_pump import MessagePump

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.errors import SteertuiError
from steertui.execution import ModelLeftOut, RunControl, run
from steertui.execution.left_out import left_out_models
from steertui.execution.plan_lines import cost_lines
from steertui.planning.consent import remember
from steertui.planning.idle_plan import idle_reason
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeServerOptions
from steertui.planning.new_database import resolve_before_creation
from steertui.planning.origin import TYPED
from steertui.planning.plan import Plan, make_plan, require_keys, withdrawn_on_error
from steertui.planning.reach import Sizes
from steertui.planning.remote_models import Supplied
from steertui.planning.resolve import resolve
from steertui.planning.run_space import require_run_space
from steertui.printable import one_line
from steertui.store import Store
from steertui.store.run_lock import BusyError, experiment_at_work, run_lock
from steertui.tui.pending_labels import count_labels
from steertui.tui.run.event_aggregator import EventAggregator, new_draw_rate
from steertui.tui.run.fetching import supply_in_stages
from steertui.tui.run.run_messages import Ended, Notice, Planned, RunUpdate
from steertui.tui.widgets.download_question import download_question
from steertui.tui.widgets.thread_question import Asked

COSTS = "This run costs money:"
"""Question before a run with paid judges or models; a line for each of them follows."""


class Runner:
    """Runs an experiment once and posts messages to `target`.

    Attributes:
        experiment: what is run.
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
        is_agreed: bool = False,
    ) -> None:
        """Prepare a run; `is_agreed` answers its questions on downloads and costs in advance."""
        self.experiment = experiment
        self._db = db
        self._overrides = overrides
        self._options = options
        self._target = target
        self._is_agreed = is_agreed
        self._draw_rate = new_draw_rate()
        self.control = RunControl()

    def add_draw_time(self, seconds: float) -> None:
        """Add the time that drawing the last update took; slow drawing lowers the update rate."""
        self._draw_rate.add(seconds)

    def work(self) -> None:
        """Run in the calling thread until the end or a stop; finished work is stored."""
        summary = elsewhere = None
        error = ""
        try:
            remember(self.experiment, TYPED)
            reason = idle_reason(self.experiment, self._db, self._options, TYPED)
            if reason:
                self._target.post_message(RunUpdate(notices=[Notice(reason, is_bad=False)]))
            elif supplied := self._supply():
                summary = self._run(supplied)
        except BusyError as exc:
            error, elsewhere = str(exc), experiment_at_work(self._db) or ""
        except SteertuiError as exc:
            error = str(exc)
        self._target.post_message(Ended(error, self.control.is_stopped, summary, elsewhere))

    def _supply(self) -> Supplied | None:
        """Fetch or train what the plan needs; return None if the run was stopped before."""
        stages = supply_in_stages(self.experiment, self._db, self._agrees_to_downloads)
        try:
            while not self.control.is_stopped:
                self._target.post_message(RunUpdate(stages=next(stages)))
        except StopIteration as end:
            return None if self.control.is_stopped else end.value
        finally:
            stages.close()
        return None

    def _agrees_to_downloads(self, downloads: Sizes) -> bool:
        return self._agrees(download_question(downloads), "Download")

    def _agrees(self, question: str, verb: str) -> bool:
        """Ask the user, unless there is no question; stop the run if the user declines."""
        if not question or self._is_agreed:
            return True
        asked = Asked(question, verb)
        self._target.post_message(asked)
        if not asked.wait(lambda: self.control.is_stopped):
            self.control.stop()
        return not self.control.is_stopped

    def _run(self, supplied: Supplied) -> Summary | None:
        """Plan and run the experiment; return the results, or None if the user declines the cost.

        Raises BusyError, and stores nothing, if another process runs on the database.
        """
        found = resolve_before_creation(self._db, supplied.experiment, self._options)
        with run_lock(self._db) as set_experiment, Store(self._db) as store:
            design = found or resolve(supplied.experiment, store=store)
            plan = make_plan(design, store, self._options, leaves_out=True)
            set_experiment(plan.id)
            with withdrawn_on_error(plan, store):
                require_keys(plan)
                require_run_space(plan, self._db)
            costs = cost_lines(plan)
            if costs and not self._agrees("\n".join([COSTS, *map(one_line, costs)]), "Run"):
                store.withdraw_plan(plan.id)
                return None
            judges = tuple(judge.id for judge in plan.judges)
            labelled = count_labels(store, plan.id, judges[1:])
            self._target.post_message(Planned(plan.id, judges, labelled))
            self._post_updates(plan, store, left_out_models(*supplied.left_out, *plan.left_out))
            return summarise_experiment(store, plan.id)

    def _post_updates(self, plan: Plan, store: Store, left_out: Iterable[ModelLeftOut]) -> None:
        aggregator = EventAggregator(plan, store, self._draw_rate, self.control)
        self.control.before_wait = lambda: self._target.post_message(aggregator.whole_update())
        events = run(plan, store, self._overrides, self._options, control=self.control)
        try:
            for event in chain(left_out, events):
                aggregator.add(event)
                if update := aggregator.update_if_due():
                    self._target.post_message(update)
        finally:
            events.close()
            self._target.post_message(aggregator.take_update())
