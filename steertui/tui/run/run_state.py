"""State of the Run screen: everything it shows of one experiment, from the store and the run."""

from dataclasses import dataclass, field

from steertui.analysis.summary import Summary
from steertui.engine.events import SlotView
from steertui.store import Store, TrialStatus
from steertui.store.progress_queries import TrialPlace, survey
from steertui.tui.pending_labels import UNKNOWN, first_judge, planned_judges
from steertui.tui.run.grid import Grid, make_grid
from steertui.tui.run.run_messages import JudgeQueue, KvUsage, Notice, RunUpdate, Stage
from steertui.tui.run.stored_totals import StoredTotals, read_totals
from steertui.tui.session import Session

THROUGHPUT_SAMPLES = 120
"""Throughput values that are kept, one per second."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """Trials of an experiment as they are stored.

    Attributes:
        places: of all trials, by key, in planned order.
        grid: trials in rows and columns, with their statuses under `judge`.
        judge: id of the judge whose labels are shown; "" for none.
        others: ids of the planned judges other than `judge`.
        is_planned: whether `judge` is planned, or stands for a planned one (`planned_judges`).
        totals: failures, labels, scores and cost.
    """

    places: dict[str, TrialPlace]
    grid: Grid
    judge: str
    others: tuple[str, ...]
    is_planned: bool
    totals: StoredTotals


def read_state(store: Store, session: Session, judge: str) -> StoredState:
    """Return the stored state of the open experiment under a judge.

    "" stands for the experiment's first judge with labels; people and published labels come last.
    Before the first label it stands for the first planned judge.
    """
    experiment = session.id
    planned = planned_judges(
        store, experiment, session.experiment, session.origin, session.server_options
    )
    known = (own for own in planned if own != UNKNOWN)
    judge = judge or first_judge(store, experiment) or next(known, "")
    places, statuses = survey(store, experiment, judge)
    others = tuple(other for other in planned if other != judge)
    totals = read_totals(store, experiment, session.experiment, judge, others)
    grid = make_grid(places)
    grid.set_stored(statuses, totals.failures)
    return StoredState(
        places={place.key: place for place in places},
        grid=grid,
        judge=judge,
        others=others,
        is_planned=judge in planned,
        totals=totals,
    )


@dataclass
class RunState:
    """Status of every trial, slots at work, throughput, and notices.

    Attributes:
        places: of all trials, by key.
        grid: trials in rows and columns, with their statuses.
        summary: results so far; None before the first summary.
        failures: reasons by the key of the trial that could not be answered.
        judge: id of the judge whose labels are shown; "" for none.
        is_judge_planned: whether a run judges the answers by the shown judge.
        others: ids of the other planned judges.
        others_labelled: labels that they have given.
        others_failed: (trial, judge) of the answers that they failed to label.
        unplanned_labelled: labels of all judges and people but the shown and the planned ones.
        is_counting: whether the updates of a run in this process keep `others_labelled` current.
        unscored: stored answers that the unsteered model is to score and has not.
        dollars: stored cost of all judges, in US dollars.
        stages: progress by stage.
        queues: progress by judge.
        notices: since the start of the run.
        shape: description of the loaded model.
        later: stages that have not begun, in words.
        kv: usage of the KV cache; None if no engine is at work.
        slots: at work.
        slot_count: number of slots, at work or not.
        throughputs: tokens per second, the newest last.
    """

    places: dict[str, TrialPlace] = field(default_factory=dict)
    grid: Grid = field(default_factory=lambda: make_grid([]))
    summary: Summary | None = None
    failures: dict[str, str] = field(default_factory=dict)
    judge: str = ""
    is_judge_planned: bool = False
    others: tuple[str, ...] = ()
    others_labelled: int = 0
    others_failed: set[tuple[str, str]] = field(default_factory=set)
    unplanned_labelled: int = 0
    is_counting: bool = False
    unscored: int = 0
    dollars: float = 0.0
    stages: dict[str, Stage] = field(default_factory=dict)
    queues: dict[str, JudgeQueue] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    shape: str = ""
    later: str = ""
    kv: KvUsage | None = None
    slots: tuple[SlotView, ...] = ()
    slot_count: int = 0
    throughputs: list[float] = field(default_factory=list)

    def fill(self, stored: StoredState, *, is_live: bool = True) -> None:
        """Show the stored state; statuses that a live run reported since it was read stay."""
        reported = self.grid.statuses if is_live else {}
        self.places = stored.places
        self.grid = stored.grid
        for key in reported.keys() & self.places.keys():
            if reported[key] != TrialStatus() or key not in self.grid.statuses:
                self.grid.set_status(key, reported[key])
        self.judge = stored.judge
        if not self.is_counting:
            self.is_judge_planned = stored.is_planned
            self.others = stored.others
        self._set_totals(stored.totals)

    def _set_totals(self, totals: StoredTotals) -> None:
        self.failures = totals.failures
        self.dollars = totals.dollars
        self.unplanned_labelled = totals.unplanned_labelled
        self.unscored = totals.unscored
        if not self.is_counting:  # the store may hold labels whose update comes later
            self.others_labelled = totals.others_labelled
            self.others_failed = {*totals.others_failed}

    def count_labels(self, judges: tuple[str, ...], labelled: int) -> None:
        """Count the labels of a run's judges by its updates.

        The first judge is the shown one; `labelled` labels of the others are stored.
        """
        self.judge = next(iter(judges), "")
        self.is_judge_planned = bool(judges)
        self.others = judges[1:]
        self.others_labelled = labelled
        self.is_counting = True

    @property
    def answered(self) -> int:
        """Number of trials with an answer."""
        return len(self.grid.statuses)

    @property
    def unanswered(self) -> int:
        """Number of trials without an answer."""
        return len(self.places) - self.answered

    @property
    def labelled(self) -> int:
        """Number of labels of all judges and people."""
        return self.grid.labelled + self.others_labelled + self.unplanned_labelled

    @property
    def unjudged(self) -> int:
        """Number of answers without a label of the shown judge."""
        return self.answered - self.grid.labelled

    @property
    def pending(self) -> int:
        """Number of labels that a run would ask for, of all planned judges."""
        shown = self.unjudged if self.judge and self.is_judge_planned else 0
        return shown + len(self.others) * self.answered - self.others_labelled

    @property
    def failed(self) -> int:
        """Number of failed answers and verdicts of planned judges that have not succeeded since."""
        return len(self.grid.failed) + self.grid.judge_failures + len(self.others_failed)

    @property
    def stages_shown(self) -> dict[str, Stage]:
        """Progress by stage, with all judges as one stage; failed readings are not done."""
        stages = {name: stage for name, stage in self.stages.items() if name != "judge"}
        if self.queues:
            judging = self.stages.get("judge")
            stages["judge"] = Stage(
                done=sum(queue.done - queue.failed for queue in self.queues.values()),
                total=sum(queue.total for queue in self.queues.values()),
                rate=judging.rate if judging else "",
            )
        return stages

    def apply(self, update: RunUpdate) -> set[str]:
        """Apply an update; return the keys of the trials whose cells changed."""
        self.stages |= update.stages
        self.queues |= update.queues
        self.notices += update.notices
        self.kv = update.kv or self.kv
        self.summary = update.summary or self.summary
        self.judge = self.judge or update.judge
        if update.totals:
            self._set_totals(update.totals)
            self.grid.failed |= update.totals.failures.keys()
        if update.shape:
            self.shape = update.shape
            self.throughputs = []
        if update.later is not None:
            self.later = update.later
        if update.throughput is not None:
            kept = self.throughputs[1 - THROUGHPUT_SAMPLES :]
            self.throughputs = [*kept, update.throughput]
        changed = self._apply_statuses(update) | self._apply_slots(update)
        return {key for key in changed if key in self.grid}

    def _apply_statuses(self, update: RunUpdate) -> set[str]:
        grid = self.grid
        for key in update.answered - grid.statuses.keys():
            grid.set_status(key, TrialStatus())
        for (key, judge), verdict in update.verdicts.items():
            if judge == self.judge:
                grid.set_status(key, TrialStatus(verdict.label, bool(verdict.failure)))
            elif self.is_counting and judge in self.others:
                self.others_labelled += verdict.label is not None
                self.others_failed.discard((key, judge))
                self.others_failed |= {(key, judge)} if verdict.failure else set()
        for key, status in update.statuses.items():
            grid.set_status(key, status)
        self.failures |= update.failures
        grid.failed |= update.failures.keys()
        return update.answered | {key for key, _ in update.verdicts} | set(update.statuses)

    def _apply_slots(self, update: RunUpdate) -> set[str]:
        if update.slots is None:
            return set()
        generating = {slot.id for slot in update.slots}
        changed = self.grid.generating ^ generating
        self.grid.generating = generating
        self.slots = update.slots
        self.slot_count = update.slot_count
        return changed

    def clear_activity(self) -> None:
        """Clear slots, stages and queues after the end of a run."""
        self.is_counting = False
        self.slots = ()
        self.grid.generating = set()
        self.kv = None
        self.later = ""
        self.stages = {}
        self.queues = {}
