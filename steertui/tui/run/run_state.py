"""A RunState: all that the Run screen knows of one experiment, told by the store and the run."""

from dataclasses import dataclass, field

from steertui.analysis.summary import Summary
from steertui.engine.events import SlotView
from steertui.store import Store, TrialStatus
from steertui.store.progress_queries import TrialPlace, failure_reasons, survey
from steertui.tui.run.grid import Grid, make_grid
from steertui.tui.run.run_messages import Kv, Notice, Queue, Stage, Ticked

MOST_SPEEDS = 120


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store tells of an experiment, under one judge."""

    places: list[TrialPlace]
    cells: dict[str, TrialStatus]
    failures: dict[str, str]
    judge: str
    spent: float


def ask(store: Store, experiment: str, judge: str) -> Stored:
    """Return what stands in the store; without a judge its first is taken."""
    readers = store.judges(experiment)
    judge = judge or (readers[0].id if readers else "")
    spent = sum(store.judge_cost(reader.id).dollars or 0.0 for reader in readers)
    return Stored(
        *survey(store, experiment, judge), failure_reasons(store, experiment), judge, spent
    )


@dataclass
class RunState:
    """Where every trial stands, what is being written, how fast, what went wrong."""

    places: dict[str, TrialPlace] = field(default_factory=dict)
    grid: Grid = field(default_factory=lambda: make_grid([]))
    summary: Summary | None = None
    failures: dict[str, str] = field(default_factory=dict)
    judge: str = ""
    spent: float = 0.0
    stages: dict[str, Stage] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    shape: str = ""
    kv: Kv | None = None
    slots: tuple[SlotView, ...] = ()
    room: int = 0
    speeds: list[float] = field(default_factory=list)

    def fill(self, stored: Stored) -> None:
        """Take what the store tells."""
        heard = self.grid.states  # what the run told since the store was asked stands above it
        self.places = {p.key: p for p in stored.places}
        grid = make_grid(stored.places)
        grid.failed = set(stored.failures)
        for key, cell in stored.cells.items():
            grid.put(key, cell)
        for key in heard.keys() & self.places.keys():
            if heard[key] != TrialStatus() or key not in stored.cells:
                grid.put(key, heard[key])
        self.grid, self.failures = grid, stored.failures
        self.judge, self.spent = stored.judge, stored.spent

    @property
    def answers(self) -> int:
        """How many trials have an answer."""
        return len(self.grid.states)

    @property
    def left(self) -> int:
        """How many trials have no answer."""
        return len(self.places) - self.answers

    @property
    def unread(self) -> int:
        """How many answers bear no label of the first judge, where there is a judge."""
        return self.answers - self.grid.labelled if self.judge else 0

    @property
    def failed(self) -> int:
        """How many answers and verdicts failed, and have not come since."""
        return len(self.grid.failed) + self.grid.unread

    @property
    def bars(self) -> dict[str, Stage]:
        """How far each stage is; all judges are one."""
        found = {name: stage for name, stage in self.stages.items() if name != "judge"}
        if self.queues:
            queues, pace = self.queues.values(), ""
            if "judge" in self.stages:
                pace = self.stages["judge"].pace
            done, total = sum(q.done for q in queues), sum(q.total for q in queues)
            found["judge"] = Stage(done, total, pace)
        return found

    def take(self, tick: Ticked) -> set[str]:
        """Take what the run tells; return the trials whose cells changed."""
        grid = self.grid
        self.stages |= tick.stages
        self.queues |= tick.queues
        self.notices += tick.notices
        self.shape, self.kv = tick.shape or self.shape, tick.kv or self.kv
        changed = tick.answers | {key for key, _ in tick.verdicts} | set(tick.cells)
        for key in tick.answers - grid.states.keys():
            grid.put(key, TrialStatus())
        for (key, judge), v in tick.verdicts.items():
            if judge == self.judge:
                grid.put(key, TrialStatus(v.label, bool(v.failure)))
        for key, cell in tick.cells.items():
            grid.put(key, cell)
        self.failures |= tick.failures
        grid.failed |= tick.failures.keys()
        if tick.slots is not None:
            now = {slot.id for slot in tick.slots}
            changed |= grid.writing ^ now
            grid.writing, self.slots, self.room = now, tick.slots, tick.room
        if tick.shape:
            self.speeds = []  # another model, or another work
        if tick.speed is not None:
            self.speeds = [*self.speeds[1 - MOST_SPEEDS :], tick.speed]
        self.summary = tick.summary or self.summary
        return {key for key in changed if key in grid}

    def rest(self) -> None:
        """Nothing is being done any more."""
        self.slots, self.grid.writing, self.kv = (), set(), None
        self.stages, self.queues = {}, {}
