"""Screen with one background job at a time, its progress, and a key to cancel it."""

import threading
from collections.abc import Generator
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
"""Work in a thread; its result is one sentence. Closing it ends its processes."""


@dataclass
class Progressed(Message):
    """A job made progress."""

    progress: JobProgress


@dataclass
class JobEnded(Message):
    """A job is over; `result` is one sentence."""

    result: str
    is_error: bool = False


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

    def __init__(self) -> None:
        super().__init__()
        self._cancelled = threading.Event()
        self._is_busy = False
        self._idle_text = Text()
        self.result = ""

    @property
    def is_busy(self) -> bool:
        """Whether a job is at work."""
        return self._is_busy

    def begin(self, job: Job) -> None:
        """Do a job in a thread, unless one is at work or a run computes."""
        if self._is_busy:
            self.notify("Another task is running; c cancels it.", markup=False)
        elif self.NEEDS_ENGINE and self.host.is_at_work:
            self.notify("A run is in progress: stop it first (2, then s).", markup=False)
        else:
            self._is_busy = True
            self._cancelled.clear()
            self.refresh_bindings()
            self.run_worker(lambda: self._work(job), thread=True, group="job")

    def ask(self, question: str, verb: str) -> bool:
        """Ask from the job's thread, unless there is no question; return whether to go on."""
        if not question:
            return True
        asked = Asked(question, verb)
        self.post_message(asked)
        return asked.wait(self._cancelled.is_set)

    def _work(self, job: Job) -> None:
        try:
            while not self._cancelled.is_set():
                self.post_message(Progressed(next(job)))
            ended = JobEnded(self.CANCELLED)
        except StopIteration as end:
            ended = JobEnded(end.value)
        except SteertuiError as exc:
            ended = JobEnded(str(exc), is_error=True)
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
        progress = message.progress
        text = Text(f"{one_line(progress.text)}  ", "bold")
        bar = progress_bar(progress.done, progress.total, BAR_WIDTH, self.colours)
        text.append_text(bar).append(f"  {progress.counts}", self.colours.quiet)
        self.query_one(JobLine).update(text)

    @on(JobEnded)
    def _job_ended(self, message: JobEnded) -> None:
        self._is_busy = False
        self.session.writes += 1
        self.result = message.result
        self.refresh_bindings()
        if message.is_error:
            self.show_error(message.result)
        else:
            self.notify(message.result, timeout=15, markup=False)
        self.show_idle(self._idle_text)
        self.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable Cancel while a job is at work."""
        if action == "cancel":
            return self._is_busy
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        """Cancel the job."""
        self._cancelled.set()

    def on_unmount(self) -> None:
        """Cancel the job when the program ends."""
        self._cancelled.set()
