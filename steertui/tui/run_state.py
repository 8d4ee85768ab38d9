"""A RunState: all that the Run screen knows of one experiment, told by the store and the run."""

from dataclasses import dataclass, field, replace

from steertui.engine.events import SlotView
from steertui.report.summary import Summary, summarise
from steertui.store import Cell, Store
from steertui.store.overview import Place, failures, places
from steertui.tui.grid import Grid, make_grid
from steertui.tui.runner import Stage, Ticked

MOST_SPEEDS = 120


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store tells of an experiment, under one judge."""

    places: list[Place]
    cells: dict[str, Cell]
    failures: dict[str, str]
    summary: Summary
    judge: str


def ask(store: Store, experiment: str, judge: str) -> Stored:
    """Return what stands in the store; without a judge its first is taken."""
    if not judge:
        readers = store.readers(experiment)
        judge = readers[0].id if readers else ""
    cells = store.cells(experiment, judge)
    found = failures(store, experiment)
    return Stored(places(store, experiment), cells, found, summarise(store, experiment), judge)


@dataclass
class RunState:
    """Where every trial stands, what is being written, how fast."""

    places: dict[str, Place] = field(default_factory=dict)
    grid: Grid = field(default_factory=lambda: make_grid([]))
    summary: Summary | None = None
    failures: dict[str, str] = field(default_factory=dict)
    judge: str = ""
    stages: dict[str, Stage] = field(default_factory=dict)
    slots: tuple[SlotView, ...] = ()
    room: int = 0
    speeds: list[float] = field(default_factory=list)

    def fill(self, stored: Stored) -> None:
        """Take what the store tells."""
        heard = self.grid.states  # what the run told since the store was asked stands above it
        self.places = {p.key: p for p in stored.places}
        self.grid = make_grid(stored.places)
        self.grid.states, self.grid.failed = dict(stored.cells), set(stored.failures)
        for key in heard.keys() & self.places.keys():
            if heard[key].label or heard[key].failure or key not in stored.cells:
                self.grid.states[key] = heard[key]
        self.failures, self.summary, self.judge = stored.failures, stored.summary, stored.judge

    @property
    def left(self) -> int:
        """How many trials have no answer."""
        return len(self.places) - len(self.grid.states)

    def take(self, tick: Ticked) -> set[str]:
        """Take what the run tells; return the trials whose cells changed."""
        grid = self.grid
        self.stages |= tick.stages
        changed = set(tick.answers) | set(tick.verdicts) | set(tick.cells)
        for key, answer in tick.answers.items():
            grid.states[key] = replace(grid.states.get(key, Cell()), answer=answer)
        for key, v in tick.verdicts.items():
            if v.judge == self.judge:
                old = grid.states.get(key, Cell(""))
                grid.states[key] = replace(old, label=v.label, failure=v.failure, reason=v.reason)
        grid.states |= tick.cells
        self.failures |= tick.failures
        grid.failed |= tick.failures.keys()
        if tick.slots is not None:
            now = {slot.id for slot in tick.slots}
            changed |= grid.writing ^ now
            grid.writing, self.slots, self.room = now, tick.slots, tick.room
        if tick.speed is not None:
            self.speeds = [*self.speeds[1 - MOST_SPEEDS :], tick.speed]
        self.summary = tick.summary or self.summary
        return {key for key in changed if key in grid}

    def rest(self) -> None:
        """Nothing is being done any more."""
        self.slots, self.grid.writing, self.stages = (), set(), {}
