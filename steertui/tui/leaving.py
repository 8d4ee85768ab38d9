"""Quitting: what is at work or would be lost, and the question before it."""

from steertui.core.experiment import Experiment
from steertui.tui.opening import Opening
from steertui.tui.widgets.job_page import JobPage
from steertui.tui.widgets.page import PAGES, Page
from steertui.tui.widgets.prompts import Confirm
from steertui.units import list_text


class Leaving(Opening):
    """App that knows what is at work in this process, and asks before quitting ends it."""

    @property
    def running_experiment(self) -> Experiment | None:
        """The experiment of the run in progress in this process; None without one."""
        screens = (screen for stack in self._screen_stacks.values() for screen in stack)
        pages = (screen for screen in screens if isinstance(screen, Page))
        return next((page.running_experiment for page in pages if page.is_at_work), None)

    @property
    def labelling_task(self) -> str:
        """Title of the screen of this process whose task may label the answers; "" for none."""
        return next((PAGES[page.NAME] for page in self._busy_pages if page.LABELS), "")

    @property
    def _busy_pages(self) -> list[JobPage]:
        screens = (screen for stack in self._screen_stacks.values() for screen in stack)
        return [page for page in screens if isinstance(page, JobPage) and page.is_busy]

    async def action_quit(self) -> None:
        """Quit, after a confirmation if work is stopped or a changed plan is lost."""
        if not any(worker.group == "leave" for worker in self.workers):  # the question is open
            self.run_worker(self._leave(), group="leave")

    async def _leave(self) -> None:
        question = " ".join(filter(None, (self._work_in_progress, self._lost_plans)))
        if question and not await self.push_screen_wait(Confirm(question, "Quit")):
            return
        self.exit()

    @property
    def _work_in_progress(self) -> str:
        """The question before work is stopped by quitting; "" if nothing is at work."""
        if self.is_at_work:
            return "A run is in progress. Stop it and quit? Finished trials are stored."
        title = next((PAGES[page.NAME] for page in self._busy_pages), "")
        return f"A task is in progress on {title}. Cancel it and quit?" if title else ""

    @property
    def _lost_plans(self) -> str:
        """The question before changed plans are lost by quitting; "" if there are none."""
        names = self.session.unsaved
        if not names:
            return ""
        plan, it = ("plan", "it") if len(names) == 1 else ("plans", "them")
        held = (
            f"Neither a run nor a file (1, then w) holds the changed {plan} of {list_text(names)}."
        )
        return f"{held} Quit and lose {it}?"
