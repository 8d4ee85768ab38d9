"""Screen with one background job at a time, its progress, and a key to cancel it."""

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from steertui.errors import SteertuiError
from steertui.printable import one_line
from steertui.tui.widgets.bars import progress_bar
from steertui.tui.widgets.form import NO_VALUES, Form, Values
from steertui.tui.widgets.form_dialog import FormDialog
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.thread_question import Asked

BAR_WIDTH = 30


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Progress of a job.

    Attributes:
        text: what is done now.
        done: of `total` units.
        counts: both numbers with their unit, such as "3 of 12 pairs".
    """

    text: str
    done: int
    total: int
    counts: str


Job = Generator[JobProgress, None, str]
"""Work in a thread; its result is one sentence. Closing it ends its processes.

A job of a form checks the values before its first step, until which the form stays open.
"""


@dataclass
class Progressed(Message):
    """A job made progress."""

    progress: JobProgress


@dataclass(frozen=True, slots=True)
class FormJob:
    """A form, and the job that is done with its values."""

    form: Form
    job: Callable[[Values], Job]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Values of a form whose job failed or was cancelled, and the error; "" without one."""

    values: Values
    problem: str


@dataclass
class JobEnded(Message):
    """A job is over.

    Attributes:
        result: one sentence.
        is_done: whether it was neither cancelled nor ended by an error.
        is_error: whether it was ended by an error.
        source: the form that it was begun with, and its values; None without a form.
    """

    result: str
    is_done: bool = True
    is_error: bool = False
    source: tuple[FormJob, Values] | None = None


class Accepted(Message):
    """A job accepts the values of its form: it asks a question."""


class JobLine(Static):
    """Line with the progress of the job, or a text while there is none."""

    def __init__(self) -> None:
        super().__init__(id="job-line", markup=False)


class JobPage(Page):
    """Screen with a background job. The body of a subclass has a `JobLine`.

    Attributes:
        result: sentence on the job that ended last; "" before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "Cancel", id="job.cancel", tooltip="Cancel the task"),
    ]

    CANCELLED: ClassVar[str] = "cancelled"
    """Result of a cancelled job; a subclass says what is kept."""

    NEEDS_ENGINE: ClassVar[bool] = True
    """Whether jobs compute with a model, so that none begins during a run."""

    LABELS: ClassVar[bool] = False
    """Whether jobs may label the answers of the open database."""

    def __init__(self) -> None:
        super().__init__()
        self._cancelled = threading.Event()
        self._is_busy = False
        self._idle_text = Text()
        self._unfinished: dict[str, Unfinished] = {}
        self._open_form: tuple[FormDialog, Values] | None = None
        self.result = ""

    @property
    def is_busy(self) -> bool:
        """Whether a job is at work."""
        return self._is_busy

    async def fill(self, form_job: FormJob) -> None:
        """Ask for the values of a form, and do its job, unless no job can begin now.

        The form is open until the first step of the job, its question or its end, before which it
        checks the values. After an error or a cancellation the form has the same values again.
        """
        if not self._may_begin():
            return

        def begin(dialog: FormDialog, values: Values) -> None:
            self._open_form = dialog, values
            self.begin(form_job.job(values), (form_job, values))

        before = self._unfinished.get(form_job.form.question, Unfinished(NO_VALUES, ""))
        dialog = FormDialog(form_job.form, before.values, before.problem, begin)
        if await self.app.push_screen_wait(dialog) is None:
            self._open_form = None
            if self._is_busy:
                self.action_cancel()

    @on(Accepted)
    def _close_form(self) -> None:
        """Close the form, whose values the job accepts."""
        if self._open_form:
            dialog, values = self._open_form
            dialog.accept(values)
        self._open_form = None

    def begin(
        self, job: Job, source: tuple[FormJob, Values] | None = None, *, first: str = ""
    ) -> None:
        """Do a job in a thread, unless one is at work or a run computes.

        `source` is the form that it was begun with, and its values. `first` says what is done
        before the first step.
        """
        if self._may_begin():
            self._is_busy = True
            self._cancelled.clear()
            self.refresh_bindings()
            if first:
                self.query_one(JobLine).update(Text(f"{one_line(first)} …  c cancels", "bold"))
            self.run_worker(lambda: self._work(job, source), thread=True, group="job")

    def _may_begin(self) -> bool:
        """Return whether a job can begin, and say why if not."""
        if self._is_busy:
            self.notify("Another task is running; c cancels it.", markup=False)
        elif self.NEEDS_ENGINE and self.host.is_at_work:
            self.notify("A run is in progress: stop it first (2, then s).", markup=False)
        else:
            return True
        return False

    def ask(self, question: str, verb: str) -> bool:
        """Ask from the job's thread, unless there is no question; return whether to go on."""
        if not question:
            return True
        self.post_message(Accepted())
        asked = Asked(question, verb)
        self.post_message(asked)
        return asked.wait(self._cancelled.is_set)

    def _work(self, job: Job, source: tuple[FormJob, Values] | None) -> None:
        try:
            while not self._cancelled.is_set():
                self.post_message(Progressed(next(job)))
            ended = JobEnded(self.CANCELLED, is_done=False, source=source)
        except StopIteration as end:
            ended = JobEnded(end.value, source=source)
        except SteertuiError as exc:
            ended = JobEnded(str(exc), is_done=False, is_error=True, source=source)
        finally:
            job.close()
        self.post_message(ended)

    def show_idle(self, text: Text) -> None:
        """Show a text in the line while no job is at work."""
        self._idle_text = text
        if not self._is_busy:
            self.query_one(JobLine).update(text)

    @on(Progressed)
    def _progressed(self, message: Progressed) -> None:
        self._close_form()
        progress = message.progress
        text = Text(f"{one_line(progress.text)}  ", "bold")
        bar = progress_bar(progress.done, progress.total, BAR_WIDTH, self.colours)
        text.append_text(bar).append(f"  {progress.counts}", self.colours.quiet)
        self.query_one(JobLine).update(text)

    @on(JobEnded)
    def _job_ended(self, message: JobEnded) -> None:
        self._is_busy = False
        self.result = message.result
        self.refresh_bindings()
        self._keep(message)
        if message.is_error and self._open_form:
            self._open_form[0].refuse(message.result)
            self._open_form = None
        elif message.is_error and message.source and self._may_ask_again:
            self.run_worker(self.fill(message.source[0]), exit_on_error=False)
        elif message.is_error:
            self.show_error(message.result)
        else:
            self._close_form()
            self.notify(message.result, timeout=15, markup=False)
        self.show_idle(self._idle_text)
        self.reload()

    @property
    def _may_ask_again(self) -> bool:
        """Whether the form of a failed job can be shown: the user sees the screen and waits."""
        return self.is_current and not self._cancelled.is_set()

    def _keep(self, ended: JobEnded) -> None:
        """Keep the values of a form for the next time, unless its job is done."""
        if ended.source:
            form_job, values = ended.source
            problem = ended.result if ended.is_error else ""
            self._unfinished.pop(form_job.form.question, None)
            if not ended.is_done:
                self._unfinished[form_job.form.question] = Unfinished(values, problem)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable Cancel while a job is at work."""
        if action == "cancel":
            return self._is_busy
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        """Cancel the job, which ends after its present step."""
        self._cancelled.set()
        self.query_one(JobLine).update(Text("cancelling …", "bold"))

    def on_unmount(self) -> None:
        """Cancel the job when the program ends."""
        self._cancelled.set()
