"""Controls of the run on the Run screen: start, pause, stop, number of slots."""

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from steertui.core.experiment import Experiment
from steertui.errors import SteertuiError
from steertui.execution.control import RunControl
from steertui.planning.consent import open_question, reach_lines, remember
from steertui.planning.idle_plan import idle_reason
from steertui.printable import one_line
from steertui.tui.plan.fields import changes_text
from steertui.tui.run.following import Following
from steertui.tui.run.runner import Runner
from steertui.tui.session import Draft
from steertui.tui.widgets.choose_one import ChooseOne
from steertui.tui.widgets.prompts import Confirm, NumberPrompt

RUNNING = "Running"
PAUSED = "Paused: p resumes"

THIS = "this"
DRAFT = "draft"
"""Answers to the question which experiment to run."""

STEP_SECONDS = 2.0
"""Longest wait for the end of the engines' present step before the program is suspended."""


class RunControls(Following):
    """Screen that holds a run. A subclass draws it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "start", "Run", id="run.start", tooltip="Run what is missing or failed"),
        Binding("p", "pause", "Pause", id="run.pause", tooltip="Stop computing for a while"),
        Binding("p", "resume", "Resume", id="run.resume", tooltip="Compute again"),
        Binding("s", "stop", "Stop", id="run.stop", tooltip="Stop; finished trials are stored"),
        Binding(
            "n", "slots", "Slots", id="run.slots", tooltip="Change the number of slots", show=False
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.runner: Runner | None = None
        self.version = -1
        self._plan_at_work: Draft | None = None
        self._suspended: RunControl | None = None

    def follow_suspensions(self) -> None:
        """Pause the run while the program is suspended; engines are processes of their own."""
        self.app.app_suspend_signal.subscribe(self, lambda _: self._suspend(), immediate=True)
        self.app.app_resume_signal.subscribe(self, lambda _: self._end_suspension())

    def _suspend(self) -> None:
        if self.runner and not self.is_paused:
            self._suspended = self.runner.control
            self._suspended.pause()
            self._suspended.wait_until_waiting(STEP_SECONDS)

    def _end_suspension(self) -> None:
        if self._suspended:
            self._suspended.resume()
            self._suspended = None

    def clear_run(self) -> None:
        """Forget the shown experiment."""

    def remaining_work(self) -> str:
        """Return the work that remains in words."""
        return ""

    def show_notice(self, text: str) -> None:
        """Show a sentence that is no failure until the next run."""

    def set_planned(self, id: str) -> None:
        """Open the plan at work, which is now stored with this id."""
        if self._plan_at_work:
            self.session.set_planned(self._plan_at_work, id)
        self.version = self.session.version

    def restart(self, *, is_paused: bool) -> None:
        """Run the experiment of the run that has just ended again, paused if that one was."""
        if self._plan_at_work:
            self._start_runner(self._plan_at_work, is_agreed=True)
            if is_paused:
                self.action_pause()

    @property
    def running_experiment(self) -> Experiment | None:
        """The experiment of the run in progress here; None without one."""
        return self.runner.experiment if self.runner else None

    @property
    def is_paused(self) -> bool:
        """Whether the run in progress here is paused."""
        return self.runner is not None and self.runner.control.is_paused

    def start(self, plan: Draft | None = None) -> None:
        """Run what is missing of the open experiment, or of another plan for its database.

        Consent is asked for first if the plan was received. Another plan is opened when the run
        has stored it.
        """
        session = self.session
        if plan is None and session.experiment:
            plan = Draft(session.experiment, session.origin)
        if self.is_at_work or self.is_following or plan is None:
            return
        if plan.origin.received:
            self._start_received(plan)
        else:
            self._start_runner(plan)

    @work(exclusive=True, group="consent", exit_on_error=False)
    async def _start_received(self, plan: Draft) -> None:
        """Start the run if the user agrees to the plan's hosts, downloads and files."""
        session, version = self.session, self.session.version
        experiment, origin = plan.experiment, plan.origin
        try:
            reason = await asyncio.to_thread(
                idle_reason, experiment, session.db, session.server_options, origin
            )
            if reason:
                self.show_notice(reason)
                return
            reach = await asyncio.to_thread(open_question, experiment, origin)
        except SteertuiError as exc:
            self.show_error(str(exc))
            return
        if reach and not session.is_sure:
            lines = "\n".join(reach_lines(reach))
            question = f"The experiment in {one_line(origin.place)}\n\n{lines}\n\nRun it?"
            if not await self.app.push_screen_wait(Confirm(question, "Run")):
                return
        if version == session.version and not self.is_at_work:
            await asyncio.to_thread(remember, experiment, origin)
            self._start_runner(session.agree(plan))

    def _start_runner(self, plan: Draft, *, is_agreed: bool = False) -> None:
        self.version = self.session.version
        self._plan_at_work = plan
        self.clear_run()
        self.state = "Planning …"
        session = self.session
        runner = Runner(
            plan.experiment,
            session.db,
            session.overrides,
            self,
            options=session.server_options,
            is_agreed=is_agreed or session.is_sure,
        )
        self.runner = runner
        self.run_worker(runner.work, thread=True, group="run", exit_on_error=True)
        self.draw()
        self.refresh_bindings()

    def halt(self) -> None:
        """Stop the run within one step; finished trials are stored."""
        if self.runner:
            self.state = "Stopping …"
            self.runner.control.stop()

    @work(exclusive=True, group="consent", exit_on_error=False)
    async def action_start(self) -> None:
        """Run what is missing; ask first if the Plan screen holds another experiment."""
        draft, experiment = self.session.draft, self.session.experiment
        if draft and experiment:
            options = [
                (THIS, f"This experiment: {self.remaining_work()}"),
                (DRAFT, f"The changed plan: {changes_text(experiment, draft.experiment)}"),
            ]
            question = "Plan was changed since this experiment was opened. Run which one?"
            chosen = await self.app.push_screen_wait(ChooseOne(question, options, THIS))
            if chosen is None:
                return
            if chosen == DRAFT:
                await self.host.run_plan(draft)
                return
        self.start()

    def action_pause(self) -> None:
        """Pause the run."""
        if self.runner:
            self.runner.control.pause()
            self._show_state(PAUSED)

    def action_resume(self) -> None:
        """Resume the paused run."""
        if self.runner:
            self.runner.control.resume()
            self._show_state(RUNNING)

    def _show_state(self, state: str) -> None:
        self.state = state
        self.refresh_bindings()
        self.draw(rates=False)

    @work(exit_on_error=False)
    async def action_stop(self) -> None:
        """Stop the run after a confirmation."""
        restarts = "Answers then in progress will be generated again. " if self.run.slots else ""
        question = f"Stop the run? {restarts}Finished trials are stored."
        if await self.app.push_screen_wait(Confirm(question, "Stop")):
            self.halt()
            self.draw(rates=False)

    @work(exit_on_error=False)
    async def action_slots(self) -> None:
        """Change the number of slots."""
        question = "Number of slots (answers generated in parallel); 0: as many as fit in memory."
        if self.is_at_work:
            question += " The engine restarts; answers in progress are generated again."
        number = await self.app.push_screen_wait(
            NumberPrompt(question, self.session.overrides.slots, 0, 1024)
        )
        if number is None:
            return
        self.session.overrides = replace(self.session.overrides, slots=number)
        if self.runner:
            self.runner.control.change_slots(number)

    def on_unmount(self) -> None:
        """Stop the run within one step."""
        self.halt()
