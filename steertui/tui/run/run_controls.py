"""The RunControls: start, pause, stop and slots of the run that the Run screen shows."""

import asyncio
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from steertui.core.experiment import Experiment
from steertui.errors import SteertuiError
from steertui.lookup import printable
from steertui.planning.consent import open_question, reach_lines, remember
from steertui.planning.origin import TYPED
from steertui.tui.run.run_state import RunState
from steertui.tui.run.runner import Runner
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.prompts import Confirm, NumberPrompt


class RunControls(Page):
    """A screen that holds a run; what it shows is its subclass's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "start", "Run", id="run.start", tooltip="Do what is missing, failures too"),
        Binding("p", "pause", "Pause", id="run.pause", tooltip="Hold the engine still, or go on"),
        Binding("s", "stop", "Stop", id="run.stop", tooltip="End the run; nothing done is lost"),
        Binding(
            "n", "slots", "Slots", id="run.slots", tooltip="How many answers at once", show=False
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.runner: Runner | None = None
        self.run = RunState()
        self.state = ""
        self.version = -1

    def clear_run(self) -> None:
        """Know nothing of any experiment."""

    def draw(self, *, rates: bool = True) -> None:
        """Show how the run stands."""

    @property
    def is_at_work(self) -> bool:
        """Whether a run is going on here, paused or not."""
        return self.runner is not None

    def start(self) -> None:
        """Begin, or go on with what is missing; asked first if the experiment was received."""
        experiment = self.session.experiment
        if self.is_at_work or experiment is None:
            return
        if self.session.origin.received:
            self._start_received(experiment)
        else:
            self._begin(experiment)

    @work(exclusive=True, group="consent", exit_on_error=False)
    async def _start_received(self, experiment: Experiment) -> None:
        """Begin if the user agrees to what the experiment contacts, fetches and reads."""
        session = self.session
        origin, version = session.origin, session.version
        try:
            reach = await asyncio.to_thread(open_question, experiment, origin)
        except SteertuiError as exc:
            self.show_error(str(exc))
            return
        if reach and not session.is_sure:
            lines = "\n".join(reach_lines(reach))
            asked = f"{printable(origin.place)} holds an experiment that\n\n{lines}\n\nRun it?"
            if not await self.app.push_screen_wait(Confirm(asked, "Run")):
                return
        if version == session.version and not self.is_at_work:
            await asyncio.to_thread(remember, experiment, origin)
            session.origin = TYPED
            self._begin(experiment)

    def _begin(self, experiment: Experiment) -> None:
        self.version = self.session.version
        self.clear_run()
        self.state = "planning …"
        session = self.session
        runner = Runner(
            experiment, session.db, session.overrides, self, options=session.server_options
        )
        self.runner = runner
        self.run_worker(runner.work, thread=True, group="run", exit_on_error=True)
        self.draw()
        self.refresh_bindings()

    def halt(self) -> None:
        """End the run within a step; what is done is stored."""
        if self.runner:
            self.state = "stopping …"
            self.runner.control.stop()

    def action_start(self) -> None:
        """Do what is missing."""
        self.start()

    def action_pause(self) -> None:
        """Hold the run, or go on."""
        if not self.runner:
            return
        control = self.runner.control
        if control.is_paused:
            control.resume()
            self.state = "running"
        else:
            control.pause()
            self.state = "paused: p goes on"
        self.draw(rates=False)

    @work(exit_on_error=False)
    async def action_stop(self) -> None:
        """End the run, asked once."""
        writing = len(self.run.slots)
        told = f"{writing} answers are being written and will begin again. " if writing else ""
        asked = f"Stop the run? {told}Everything finished is stored."
        if await self.app.push_screen_wait(Confirm(asked, "Stop")):
            self.halt()
            self.draw(rates=False)

    @work(exit_on_error=False)
    async def action_slots(self) -> None:
        """Change how many answers are written at once."""
        told = "How many answers at once? 0 leaves it to the memory."
        if self.is_at_work:
            told += " The engine starts anew; answers being written begin again."
        number = await self.app.push_screen_wait(
            NumberPrompt(told, self.session.overrides.slots, 0, 1024)
        )
        if number is None:
            return
        self.session.overrides = replace(self.session.overrides, slots=number)
        if self.runner:
            self.runner.control.change_slots(number)

    def on_unmount(self) -> None:
        """Let the run end within a step."""
        self.halt()
