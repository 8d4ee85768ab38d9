"""The Run screen: the matrix fills, the rates narrow, the answers can be read as they come."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from steertui.errors import SteertuiError
from steertui.store.trials import TrialFilter, read_trial
from steertui.tui.matrix import Matrix
from steertui.tui.panels import FocusPanel, StageLine
from steertui.tui.run_body import RunBody
from steertui.tui.run_controls import RunControls
from steertui.tui.run_state import RunState, ask
from steertui.tui.runner import Ended, Planned, Ticked

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


class RunScreen(RunControls):
    """Shows one run; the store is the truth, and this screen only what was told of it."""

    NAME = "run"
    HELP = HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "beside", "Side by side", id="run.beside", tooltip="All conditions of it"),
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
        self.state = "nothing planned"

    def body(self) -> ComposeResult:
        """Lay out: stages, the matrix over the slots, the rates over the text in focus."""
        yield StageLine(id="stages")
        yield RunBody(id="run-body", classes="-rates")
        yield Static(id="legend")

    def on_mount(self) -> None:
        """Begin at the matrix."""
        self.query_one(Matrix).focus()

    def refill(self) -> None:
        """Show the experiment that is open, where it is another than before."""
        self.query_one("#legend", Static).update(self.colours.legend())
        if self.version != self.session.version and not self.is_at_work:
            self.version = self.session.version
            self.clear_run()
            self._look()
        self.draw()

    # The store

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        experiment = self.session.id
        if not experiment:
            self.draw()
            return
        judge = self.run.judge
        try:
            stored = await self.session.ask(lambda store: ask(store, experiment, judge))
        except SteertuiError as exc:
            self.state = str(exc)
            self.draw()
            return
        self.run.fill(stored)
        if not self.is_at_work:
            left = self.run.left
            self.state = f"{left} answers to do: r runs them" if left else DONE
        self.query_one(Matrix).fill(self.run.grid)
        self.draw()
        self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        key = self.query_one(Matrix).chosen()
        if not key or (self._follows and self.run.slots):
            return
        if key in self.run.grid.writing:
            self._show_slots()
            return
        trial = await self.session.ask(lambda store: read_trial(store, key))
        if trial and self.query_one(Matrix).chosen() == key:
            self.query_one(FocusPanel).read(trial, self.colours, self.run.failures.get(key, ""))

    # The run

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        self.session.id, self.run.judge = message.id, message.judge
        self.state = (
            "another steertui runs this; reading along" if message.is_along else "loading …"
        )
        self._look()

    @on(Ticked)
    def _ticked(self, message: Ticked) -> None:
        matrix = self.query_one(Matrix)
        changed = self.run.take(message)
        if message.stages and self.runner and not self.runner.pause.is_set():
            self.state = "running"
        for key in changed:
            matrix.changed(key)
        if message.trouble:
            self.notify(message.trouble, severity="warning", markup=False)
        self.draw(rates=message.summary is not None)
        self._show_slots()
        if matrix.chosen() in changed and not (self._follows and self.run.slots):
            self._read()

    @on(Ended)
    def _ended(self, message: Ended) -> None:
        self.runner = None
        self.run.rest()
        if self.again and not message.trouble:
            self.again = False
            self.start()
            return
        self.run.summary = message.summary or self.run.summary
        failed = len(self.run.failures)
        if message.trouble:
            self.state = "failed: r tries again"
            self.notify(message.trouble, severity="error", timeout=30, markup=False)
        elif message.stopped:
            self.state = "stopped: r goes on"
        elif failed:
            self.state = f"{failed} could not be answered: r tries them again"
        else:
            self.state = DONE
        self.refresh_bindings()
        self.query_one(Matrix).refresh()
        self.draw()
        self._show_slots()
        self._read()

    # Drawing

    @property
    def _shown(self) -> RunBody:
        return self.query_one(RunBody)

    def draw(self, *, rates: bool = True) -> None:
        """Draw the stages, and the rates."""
        self.query_one(StageLine).show(self.state, self.run.stages, self.colours)
        if rates:
            empty = "No verdict yet. Rates appear here as the judge reads the answers."
            if self.session.experiment is None:
                empty = "Nothing is planned. Press 1 to plan an experiment, or 0 for the demo."
            self._shown.show_rates(self.run.summary, empty, self.colours)

    def _show_slots(self) -> None:
        self._shown.show_slots(self.run, self.colours, follow=self._follows)

    def on_resize(self) -> None:
        """Draw what depends on the width."""
        super().on_resize()
        self.call_after_refresh(self.draw)

    # Keys

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """Offer what makes sense now."""
        if action in ("pause", "stop"):
            return self.is_at_work
        if action == "start":
            return not self.is_at_work and self.session.experiment is not None
        if action == "follow":
            return self.is_at_work
        if action == "view":
            return self.has_class("-narrow")
        return True

    @on(Matrix.Moved)
    def _moved(self) -> None:
        self._follows = False
        self._read()

    @on(Matrix.Opened)
    async def _opened(self, message: Matrix.Opened) -> None:
        await self.host.read(
            TrialFilter(experiment=self.session.id, judge=self.run.judge), message.key
        )

    def action_follow(self) -> None:
        """Show what is being written, whatever it is."""
        self._follows = True
        self._show_slots()

    async def action_beside(self) -> None:
        """Show the scenario under the cursor, all conditions side by side."""
        key = self.query_one(Matrix).chosen()
        if key:
            await self.host.beside(key)

    def action_view(self) -> None:
        """Show another panel below the matrix, where there is room for one."""
        self._shown.turn()
