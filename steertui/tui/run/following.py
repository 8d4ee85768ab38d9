"""Viewing of a run in another process: the screen follows it as soon as the database is locked."""

from textual import on, work

from steertui.planning.stored_experiment import parse_stored
from steertui.tui.run.follower import Follower, OtherEnded, Quiet
from steertui.tui.run.run_state import RunState
from steertui.tui.widgets.page import Page
from steertui.units import clock

LOOK_INTERVAL = 2.0
"""Seconds between two looks whether another process runs on the database."""

FOLLOWING = "Another steertui process runs this experiment; showing what it stores"
QUIET = (
    "Another steertui process has a run of this experiment open and stored nothing for {time}: "
    "paused, or at a long step"
)
OTHER = "Another steertui process runs another experiment, which ctrl+o opens, or tests judges"
TASK = "The task on {page} is in progress; showing the stored labels"
BUSY = "Another steertui process works on this database"


def viewer_state(experiment: str, at_work: str, task: str) -> str:
    """Return what the other process does, seen from the screen of `experiment`.

    `at_work` is the id of what it runs or judges, "" if that is unknown. `task` is the title of the
    screen whose task of this process may be what is at work, "" for none.
    """
    if task:
        return TASK.format(page=task)
    if not at_work:
        return BUSY
    return FOLLOWING if at_work == experiment else OTHER


class Following(Page):
    """Screen of one experiment that only views while another process runs on the database."""

    def __init__(self) -> None:
        super().__init__()
        self.run = RunState()
        self.state = ""
        self.follower: Follower | None = None
        self._at_work_elsewhere = ""

    @property
    def is_following(self) -> bool:
        """Whether another process runs on the database and this screen shows its progress."""
        return self.follower is not None

    def draw(self, *, rates: bool = True) -> None:
        """Draw the state of the run."""

    def read_changes(self) -> None:
        """Read the open experiment again if the database has changed."""

    def load(self, outcome: str = "") -> None:
        """Read the open experiment from the store."""

    def on_mount(self) -> None:
        """Look for a run of another process while the screen is shown."""
        self.set_interval(LOOK_INTERVAL, self._look_if_idle)

    def on_screen_resume(self) -> None:
        """Look at once when the screen is shown, so that it offers no run that cannot start."""
        self._look_if_idle()

    def on_unmount(self) -> None:
        """Stop following when the program ends."""
        self.stop_following()

    def _look_if_idle(self) -> None:
        if self.is_current and not self.is_following:
            self._look()

    @work(exclusive=True, group="look", exit_on_error=False)
    async def _look(self) -> None:
        db, version = self.session.db, self.session.version
        at_work = await self.host.experiment_elsewhere()
        if at_work is None:
            self.read_changes()
            return
        experiments = await self.session.with_store(lambda store: store.experiments())
        if self.is_at_work or self.is_following or version != self.session.version:
            return
        if experiments and not self.session.id:
            stored = next((one for one in experiments if one.id == at_work), experiments[-1])
            experiment, origin = parse_stored(stored, db)
            self.session.open(db, experiment, stored.id, origin=origin)
            self.reload()
        if self.session.id:
            self.follow(at_work)

    def follow(self, at_work: str) -> None:
        """Show what the other process stores, until it ends or works on something else.

        `at_work` is the id of what it runs or judges, "" if that is unknown.
        """
        self._at_work_elsewhere = at_work
        self.show_following()
        ids = (self.session.id, at_work)
        follower = Follower(self.session.db, ids, self.session.experiment, self.run, self)
        self.follower = follower
        self.run_worker(follower.work, thread=True, group="run", exit_on_error=False)
        self.refresh_bindings()
        self.load()

    def show_following(self) -> None:
        """Set the state line to what the other process does."""
        at_work = self._at_work_elsewhere
        self.state = viewer_state(self.session.id, at_work, self.host.labelling_task)

    @on(Quiet)
    def _other_is_quiet(self, quiet: Quiet) -> None:
        """Say for how long the other process has stored nothing."""
        if self.is_following and self._at_work_elsewhere == self.session.id:
            self.state = QUIET.format(time=clock(quiet.seconds))
            self.draw(rates=False)

    def stop_following(self) -> None:
        """Stop following; the other process is not affected."""
        if self.follower:
            self.follower.stop()
            self.follower = None

    @on(OtherEnded)
    def _other_ended(self) -> None:
        self.follower = None
        self.load()
        self.refresh_bindings()
