"""The Run screen: progress of a run, a matrix of trials, rates, and the text of one trial."""

import time
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from steertui.analysis.summary import summarise_experiment
from steertui.store.read_only import newest_change
from steertui.store.trial_filter import TrialFilter
from steertui.store.trials import read_trial
from steertui.tui.gc_tuning import exempt_live_objects
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel
from steertui.tui.run.run_body import RunBody
from steertui.tui.run.run_controls import PAUSED, RUNNING, RunControls
from steertui.tui.run.run_messages import Ended, Notice, Planned, RunUpdate
from steertui.tui.run.run_state import RunState, read_state
from steertui.tui.run.status_lines import (
    ActivityLine,
    NoticeLine,
    StageLine,
    activity_parts,
    stored_parts,
)
from steertui.tui.widgets.reflowing_text import ReflowingText
from steertui.units import counted, quantity

HELP = """
Every cell of the matrix is a scenario under a condition, with one sign per sample: the first
judge's label or the trial's status. The arrow keys move the cursor. The panel at the right (below
the matrix in a narrow terminal) shows the trial under the cursor, or the answer in progress.

The rates are shown with 95 % intervals, which narrow as labels arrive. For the models of the paper
(arXiv 2601.01584), the published rates are shown as well.

**Pause** stops computing and keeps everything in memory. **Stop** ends the run, as closing the
terminal does: finished trials are stored, and answers in progress are generated again when you
resume. **Run** runs everything that is missing or failed.
"""

DONE = "Up to date: 4 shows the results, enter opens a trial"
NOT_STARTED = "Not started: r runs the experiment"
READING = "Reading the database …"
GONE = "Not in the database any more: ctrl+o opens another experiment"
COUNTING = "Counting the labels …"
NO_RATES = {
    True: "Rates appear here as answers are labelled.",
    False: "This experiment has no judge, so there are no rates. 1 adds a judge, 5 labels answers.",
}
"""Text without rates, by whether there is a judge."""

ENTER_FILES = "1 Plan, enter the name of each file again, then r"
"""What to do first if a database names text files, which must not be read without consent."""

NOT_RUN = "Another steertui process works on this database: the changed plan was not stored or run"

FAILED = "Failed: r tries again"
STOPPED = "Stopped: r resumes"


class RunScreen(RunControls):
    """Shows one run, from the store and from the runner's messages."""

    NAME = "run"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "b",
            "compare",
            "Compare",
            id="run.compare",
            tooltip="Compare the conditions",
        ),
        Binding("f", "follow", "Follow", id="run.follow", tooltip="Show the answer in progress"),
        Binding("v", "view", "View", id="run.view", tooltip="Show rates, text or slots"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._change = 0.0
        self.clear_run()

    def clear_run(self) -> None:
        """Forget the shown experiment."""
        self.run = RunState()
        self._follows = True
        self._thread_time = 0.0
        self.state = NOT_STARTED

    def body(self) -> ComposeResult:
        """Lay out: status lines, matrix over slots, rates over the text of a trial, legend."""
        yield StageLine(id="stages")
        yield ActivityLine(id="activity")
        yield NoticeLine(id="notices")
        yield RunBody(id="run-body", classes="-rates")
        yield ReflowingText(id="legend")

    def on_mount(self) -> None:
        """Focus the matrix."""
        self.query_one(Matrix).focus()
        self.follow_suspensions()

    def reload(self) -> None:
        """Show the open experiment; read it from the store if it is another one."""
        if self.version != self.session.version and not self.is_at_work:
            self.version = self.session.version
            self.stop_following()
            self.clear_run()
            self.state = READING if self.session.id else NOT_STARTED
            self.load()
        else:
            self.read_changes()
        self.draw()
        self._show_slots()

    def read_changes(self) -> None:
        """Show what other screens and processes stored since the experiment was read.

        Notices, and the outcome of a run that failed or was stopped, stay.
        """
        is_live = self.is_at_work or self.is_following
        if self.session.id and not is_live and self._change != newest_change(self.session.db):
            ended = (each for each in (FAILED, STOPPED) if self.state in (each, _without_key(each)))
            self.load(next(ended, ""))

    # The store

    def load(self, outcome: str = "") -> None:
        """Show the stored state; `outcome` is the state line after a run that did not succeed."""
        self._load(outcome)

    @work(exclusive=True, group="load", exit_on_error=False)
    async def _load(self, outcome: str) -> None:
        experiment = self.session.id
        if not experiment:
            self.query_one(Matrix).fill(self.run.grid)
            self.query_one(FocusPanel).clear()
            return
        self._change = newest_change(self.session.db)
        judge = self.run.judge if self.is_at_work or self.is_following else ""
        session = self.session
        stored = await session.with_store(lambda store: read_state(store, session, judge))
        self.run.fill(stored, is_live=self.is_at_work or self.is_following)
        at_work = await self.host.experiment_elsewhere()
        if not self.is_at_work and not self.is_following:
            if at_work is not None:
                self.follow(at_work)  # which loads again
                return
            self.state = self.outcome_line(outcome) if stored.places else GONE
        self.query_one(Matrix).fill(self.run.grid)
        exempt_live_objects()
        self.draw(rates=False)
        self.refresh_bindings()
        self._show_trial()
        self._summarise(experiment)

    @work(exclusive=True, group="rates", exit_on_error=False)
    async def _summarise(self, experiment: str) -> None:
        run = self.run
        run.summary = await self.session.with_store(
            lambda store: summarise_experiment(store, experiment)
        )
        if run is self.run:
            self.draw()
            self.host.note(run.summary)

    def remaining_work(self) -> str:
        """Return the work that remains in words."""
        if self.run.unanswered:
            return f"{self.run.unanswered:,} {counted(self.run.unanswered, 'trial')} unanswered"
        if self.run.pending:
            return f"{self.run.pending:,} {counted(self.run.pending, 'label')} pending"
        unscored = self.run.unscored
        return f"{quantity(unscored, 'answer')} unscored" if unscored else "up to date"

    def outcome_line(self, outcome: str) -> str:
        """Return the state line after a run with this outcome: of a stop only if work remains."""
        is_stored = bool(self.session.id)
        remains = self.run.unanswered or self.run.pending or self.run.unscored or not is_stored
        if outcome == FAILED or (outcome and remains):
            return outcome if self.check_action("start", ()) else _without_key(outcome)
        return self.remaining_line()

    def remaining_line(self) -> str:
        """Return the work that remains, and the key that starts it."""
        planned = self.session.experiment
        remains = self.run.unanswered or self.run.pending
        if remains and planned and self.session.origin.unread_files(planned):
            return f"{self.remaining_work()}: {ENTER_FILES}"
        if self.run.unanswered:
            return self._with_key(self.remaining_work(), "r runs them")
        if self.run.pending:
            return self._with_key(self.remaining_work(), "r judges the answers")
        if self.run.unscored:
            return self._with_key(self.remaining_work(), "r scores them")
        return DONE

    def _with_key(self, state: str, key: str) -> str:
        """Return the state with what the key r does, if there is such a key now."""
        return f"{state}: {key}" if self.check_action("start", ()) else state

    @work(exclusive=True, group="trial", exit_on_error=False)
    async def _show_trial(self) -> None:
        key = self.query_one(Matrix).selected_key()
        if not key or (self._follows and self.run.slots):
            return
        if key in self.run.grid.generating:
            self._show_slots()
            return
        trial = await self.session.with_store(lambda store: read_trial(store, key))
        if trial and self.query_one(Matrix).selected_key() == key:
            self.query_one(FocusPanel).show_trial(
                trial, self.colours, self.run.failures.get(key, "")
            )

    # The run

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        self.set_planned(message.id)
        self.run.judge = message.judge
        self.run.count_labels(message.judges, message.others_labelled)
        self.state = PAUSED if self.is_paused else "Loading …"
        self.load()

    @on(RunUpdate)
    def _updated(self, message: RunUpdate) -> None:
        self._report_draw_time()
        matrix = self.query_one(Matrix)
        changed = self.run.apply(message)
        if message.stages and self.runner and not self.is_paused:
            self.state = RUNNING
        if self.is_following:
            self.show_following()
        for key in changed:
            matrix.redraw_cell(key)
        self.draw(rates=message.summary is not None)
        self._show_slots()
        is_over = bool(self.query_one(FocusPanel).live) and not self.run.slots
        if is_over or matrix.selected_key() in changed:
            self._show_trial()

    def _report_draw_time(self) -> None:
        """Report this thread's CPU time since the last update to the runner."""
        before = self._thread_time
        self._thread_time = time.thread_time()
        if self.runner and before:
            self.runner.add_draw_time(self._thread_time - before)

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        has_new_slots = self.runner and self.runner.control.new_slots is not None
        is_paused = self.is_paused
        self.runner = None
        self.run.clear_activity()
        if has_new_slots and not message.error:
            self.restart(is_paused=is_paused)
            return
        if message.elsewhere is not None and self.session.id:
            if self.session.draft:
                self.show_notice(NOT_RUN)
            self.follow(message.elsewhere)
            return
        self.run.summary = message.summary or self.run.summary
        outcome = ""
        if message.error:
            outcome = FAILED
            self.run.notices.append(Notice(message.error))
        elif message.is_stopped:
            outcome = STOPPED
        self.state = self.outcome_line(outcome)
        self.refresh_bindings()
        self._show_slots()
        self.draw()
        self.load(outcome)

    def show_error(self, message: str) -> None:
        """Add the message to the notices, which stay until the next run."""
        self._add_notice(Notice(message))

    def show_notice(self, text: str) -> None:
        """Add a sentence that is no failure to the notices."""
        self._add_notice(Notice(text, is_bad=False))

    def _add_notice(self, notice: Notice) -> None:
        if notice not in self.run.notices:
            self.run.notices.append(notice)
        self.draw(rates=False)

    # Drawing

    @property
    def _body(self) -> RunBody:
        return self.query_one(RunBody)

    def draw(self, *, rates: bool = True) -> None:
        """Draw the status lines, and with `rates` the rates."""
        run, c = self.run, self.colours
        is_open = self.session.id or self.session.experiment
        is_empty = not (is_open or self.is_at_work)
        self.show_empty(f"No answers: {self.session.unplanned}." if is_empty else "")
        self.query_one(StageLine).show(self.state, run.stages_shown, c)
        parts = []
        if run.stages_shown:
            parts = activity_parts(run, c, is_paused=self.is_paused)
        elif run.places:
            parts = stored_parts(run, c)
        self.query_one(ActivityLine).show(parts, c)
        self.query_one(NoticeLine).show(run.notices, c)
        self.query_one("#legend", ReflowingText).draw_with(lambda room: c.legend(room.width))
        if rates:
            self._body.show_rates(run.summary, self._text_without_rates(), c)

    def _text_without_rates(self) -> str:
        """Return what stands in place of rates: none are counted yet, or there are none."""
        if self.session.id and not self.run.summary:
            return COUNTING
        return NO_RATES[bool(self.run.judge or not self.run.places)]

    def _show_slots(self) -> None:
        self._body.show_slots(self.run, self.colours, follow=self._follows)

    def recolour(self) -> None:
        """Redraw everything in the colours of the theme."""
        self.draw()
        self._show_slots()
        self._show_trial()

    # Keys

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer the keys that apply now."""
        if action == "follow":
            return self.is_at_work and not self._follows
        if action == "pause":
            return self.is_at_work and not self.is_paused
        if action == "resume":
            return self.is_paused
        if action == "stop":
            return self.is_at_work
        if action == "start":
            is_idle = not self.is_at_work and not self.is_following
            return is_idle and self.session.experiment is not None
        if action == "slots":
            return not self.is_following
        if action == "compare":
            return bool(self.run.places)
        return self.has_class("-narrow") if action == "view" else True

    @on(Matrix.Moved)
    def _moved(self) -> None:
        if self._follows:
            self._follows = False
            self.refresh_bindings()
        self._show_trial()

    @on(Matrix.Opened)
    async def _opened(self, message: Matrix.Opened) -> None:
        await self.host.show_trials(
            TrialFilter(experiment=self.session.id, judge=self.run.judge), message.key
        )

    def action_follow(self) -> None:
        """Show the answer in progress."""
        self._follows = True
        self.refresh_bindings()
        self._show_slots()

    async def action_compare(self) -> None:
        """Compare the conditions of the scenario under the cursor."""
        key = self.query_one(Matrix).selected_key()
        if key:
            await self.host.compare(key)

    def action_view(self) -> None:
        """Show the next panel below the matrix of a narrow terminal."""
        self._body.show_next_view()


def _without_key(outcome: str) -> str:
    """Return an outcome without what the key r does."""
    return outcome.partition(":")[0]
