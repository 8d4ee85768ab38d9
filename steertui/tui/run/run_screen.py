"""The Run screen: the matrix fills, the rates narrow, the answers can be read as they come."""

import time
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from steertui.analysis.summary import summarise_experiment
from steertui.store.trial_filter import TrialFilter
from steertui.store.trials import read_trial
from steertui.tui.gc_tuning import exempt_live_objects
from steertui.tui.run.matrix import Matrix
from steertui.tui.run.panels import FocusPanel
from steertui.tui.run.run_body import RunBody
from steertui.tui.run.run_controls import RunControls
from steertui.tui.run.run_messages import Ended, Notice, Planned, Ticked
from steertui.tui.run.run_state import RunState, ask
from steertui.tui.run.status_lines import NoticeLine, PulseLine, StageLine, at_rest, at_work, cost
from steertui.tui.widgets.reflowing_text import ReflowingText

HELP = """
Every cell of the matrix is one trial: a scenario under a condition. Its sign tells what the first
judge made of the answer. Move with the arrows; the panel at the right (narrow terminals: below)
shows the trial under the cursor, or the one being written.

The rates stand with their 95 % intervals, which narrow while verdicts come. Where the model is one
of the paper's (arXiv 2601.01584) its published numbers stand beside.

**Pause** holds the engine still with everything in memory. **Stop** ends it: answers that were
being written begin again when you go on, all others are stored. So does closing the terminal.
**Run** goes on with whatever is missing, what failed included.
"""

DONE = "done: 4 shows the results, enter reads a trial"
NOTHING = "nothing run yet: r begins"
ALONG = "another steertui runs this: reading along"


class RunScreen(RunControls):
    """Shows one run; the store is the truth, and this screen only what was told of it."""

    NAME = "run"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "beside", "Compare", id="run.beside", tooltip="All conditions of it"),
        Binding("f", "follow", "Follow", id="run.follow", tooltip="Read what is being written"),
        Binding("v", "view", "View", id="run.view", tooltip="Rates, text or slots below"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.clear_run()

    def clear_run(self) -> None:
        """Know nothing."""
        self.run = RunState()
        self._follows = True
        self._busy = 0.0
        self.state = NOTHING

    def body(self) -> ComposeResult:
        """Lay out: how it goes, the matrix over the slots, the rates over the text in focus."""
        yield StageLine(id="stages")
        yield PulseLine(id="pulse")
        yield NoticeLine(id="notices")
        yield RunBody(id="run-body", classes="-rates")
        yield ReflowingText(id="legend")

    def on_mount(self) -> None:
        """Begin at the matrix."""
        self.query_one(Matrix).focus()

    def reload(self) -> None:
        """Show the experiment that is open, where it is another than before."""
        if self.version != self.session.version and not self.is_at_work:
            self.version = self.session.version
            self.clear_run()
            self._look()
        self.draw()
        self._show_slots()

    # The store

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self, outcome: str = "") -> None:
        """Take what the store holds; `outcome` says how a run ended, if not well."""
        experiment = self.session.id
        if not experiment:
            return
        judge = self.run.judge
        self.run.fill(await self.session.with_store(lambda store: ask(store, experiment, judge)))
        if not self.is_at_work:
            self.state = outcome or self._standing()
        self.query_one(Matrix).fill(self.run.grid)
        exempt_live_objects()
        self.draw(rates=False)
        self.refresh_bindings()
        self._read()
        self.run.summary = await self.session.with_store(
            lambda store: summarise_experiment(store, experiment)
        )
        self.draw()

    def _standing(self) -> str:
        """Return what is left to do, and the key that does it."""
        if self.run.left:
            return f"{self.run.left:,} answers to do: r runs them"
        if self.run.unread:
            return f"{self.run.unread:,} answers have no label: r judges them"
        return DONE

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self) -> None:
        key = self.query_one(Matrix).chosen()
        if not key or (self._follows and self.run.slots):
            return
        if key in self.run.grid.writing:
            self._show_slots()
            return
        trial = await self.session.with_store(lambda store: read_trial(store, key))
        if trial and self.query_one(Matrix).chosen() == key:
            self.query_one(FocusPanel).read(trial, self.colours, self.run.failures.get(key, ""))

    # The run

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        self.session.id, self.run.judge = message.id, message.judge
        self.state = ALONG if message.is_along else "loading …"
        self._look()

    @on(Ticked)
    def _ticked(self, message: Ticked) -> None:
        self._tell_cost()
        matrix = self.query_one(Matrix)
        changed = self.run.take(message)
        if message.stages and self.runner and not self.runner.control.is_paused:
            self.state = "running"
        for key in changed:
            matrix.changed(key)
        self.draw(rates=message.summary is not None)
        self._show_slots()
        if matrix.chosen() in changed and not (self._follows and self.run.slots):
            self._read()

    def _tell_cost(self) -> None:
        """Tell the run what this thread took of a core since the last message."""
        before, self._busy = self._busy, time.thread_time()
        if self.runner and before:
            self.runner.drawn(self._busy - before)

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        has_new_slots = self.runner and self.runner.control.new_slots is not None
        self.runner = None
        self.run.rest()
        if has_new_slots and not message.trouble:
            self.start()
            return
        self.run.summary = message.summary or self.run.summary
        outcome = ""
        if message.trouble:
            outcome = "failed: r tries again"
            self.run.notices.append(Notice(message.trouble))
        elif message.stopped:
            outcome = "stopped: r goes on"
        self.state = outcome or self._standing()
        self.refresh_bindings()
        self._show_slots()
        self.draw()
        self._look(outcome)

    def show_error(self, told: str) -> None:
        """Say what went wrong, to stay."""
        self.run.notices.append(Notice(told))
        self.draw(rates=False)

    # Drawing

    @property
    def _shown(self) -> RunBody:
        return self.query_one(RunBody)

    def draw(self, *, rates: bool = True) -> None:
        """Draw how it goes, and the rates."""
        run, c = self.run, self.colours
        is_open = self.session.id or self.session.experiment
        self.show_empty("" if is_open or self.is_at_work else "Nothing is planned yet.")
        self.query_one(StageLine).show(self.state, run.bars, c)
        parts = []
        if run.bars:
            parts = at_work(run.speeds, run.queues, run.failed, run.room, run.kv, c)
        elif run.places:
            spent = cost([run.spent])
            parts = at_rest(run.answers, run.left, run.grid.labelled, run.failed, spent, c)
        self.query_one(PulseLine).show(parts, c)
        self.query_one(NoticeLine).show(run.notices, c)
        self.query_one("#legend", ReflowingText).draw_with(lambda room: c.legend(room.width))
        if rates:
            empty = "No verdict yet. Rates appear here as the judge reads the answers."
            self._shown.show_rates(run.summary, empty, c)

    def _show_slots(self) -> None:
        self._shown.show_slots(self.run, self.colours, follow=self._follows)

    def recolour(self) -> None:
        """Draw all that bears colours of the theme."""
        self.draw()
        self._show_slots()
        self._read()

    # Keys

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        if action == "follow":
            return self.is_at_work and not self._follows
        if action in ("pause", "stop"):
            return self.is_at_work
        if action == "start":
            return not self.is_at_work and self.session.experiment is not None
        if action == "beside":
            return bool(self.run.places)
        return self.has_class("-narrow") if action == "view" else True

    @on(Matrix.Moved)
    def _moved(self) -> None:
        if self._follows:
            self._follows = False
            self.refresh_bindings()
        self._read()

    @on(Matrix.Opened)
    async def _opened(self, message: Matrix.Opened) -> None:
        await self.host.show_trials(
            TrialFilter(experiment=self.session.id, judge=self.run.judge), message.key
        )

    def action_follow(self) -> None:
        """Show what is being written, whatever it is."""
        self._follows = True
        self.refresh_bindings()
        self._show_slots()

    async def action_beside(self) -> None:
        """Show the scenario under the cursor, all conditions side by side."""
        key = self.query_one(Matrix).chosen()
        if key:
            await self.host.compare(key)

    def action_view(self) -> None:
        """Show another panel below the matrix, where there is room for one."""
        self._shown.turn()
