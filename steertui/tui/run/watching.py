"""Screens that know whether a run is in progress on the open database, here or elsewhere."""

from textual import work

from steertui.tui.run.following import LOOK_INTERVAL
from steertui.tui.widgets.page import Page


class WatchingPage(Page):
    """Screen that is updated when a run of another process begins or ends.

    Attributes:
        is_run_elsewhere: whether another process runs on the open database.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_run_elsewhere = False

    @property
    def is_run_in_progress(self) -> bool:
        """Whether a run is in progress on the open database, in this process or another one."""
        return self.host.is_at_work or self.is_run_elsewhere

    def on_mount(self) -> None:
        """Look for a run of another process while the screen is shown."""
        self.set_interval(LOOK_INTERVAL, self._look_if_shown)

    def on_screen_resume(self) -> None:
        """Look at once when the screen is shown."""
        self._look()

    def _look_if_shown(self) -> None:
        if self.is_current:
            self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        is_run_elsewhere = await self.host.is_run_elsewhere()
        if is_run_elsewhere != self.is_run_elsewhere:
            self.is_run_elsewhere = is_run_elsewhere
            self.reload()
