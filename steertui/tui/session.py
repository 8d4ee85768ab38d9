"""Session of the screens: the open database and experiment, and access to the store."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.paths import exists
from steertui.planning.judges import DEFAULT_OPTIONS, JudgeServerOptions
from steertui.planning.origin import TYPED, Origin
from steertui.planning.presets import PRESETS
from steertui.planning.stored_experiment import parse_stored
from steertui.stats.rate import Policy
from steertui.store import FileId, Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Draft:
    """Experiment on the Plan screen that differs from the open one, and its origin."""

    experiment: Experiment
    origin: Origin


@dataclass
class Session:
    """Open database and experiment. The app changes it; the screens read it.

    Attributes:
        db: the database; it need not exist.
        experiment: the planned or running experiment; None for none.
        id: the experiment's id in the store; "" before it is planned there.
        overrides: engine settings of the user, such as slots and threads.
        server_options: options for requests to servers.
        version: incremented whenever another database or experiment is opened.
        origin: source of the experiment's values.
        drafts: changed plans by the path and id of the experiment that was open at the change.
        kept: experiments that a preset or a file holds, and the default one.
        is_sure: whether the user agreed in advance to run received experiments.
        policy: denominator of the convergence rates on Results, in its report and in exports.
        checked: the file whose content has been checked; a run that writes it would otherwise have
            it checked again by every query.
    """

    db: Path
    experiment: Experiment | None = None
    id: str = ""
    overrides: Overrides = field(default_factory=Overrides)
    server_options: JudgeServerOptions = DEFAULT_OPTIONS
    version: int = 0
    origin: Origin = TYPED
    drafts: dict[tuple[Path, str], Draft] = field(default_factory=dict)
    kept: list[Experiment] = field(default_factory=lambda: [Experiment(), *PRESETS.values()])
    is_sure: bool = False
    policy: Policy = Policy.PAPER
    checked: FileId | None = None

    def open(
        self, db: Path, experiment: Experiment | None, id: str = "", *, origin: Origin = TYPED
    ) -> None:
        """Open another database or experiment; the changed plan is kept unless it is opened.

        The policy chosen for another experiment does not apply to it.
        """
        if (db, id) != (self.db, self.id):
            self.policy = Policy.PAPER
        if self.draft and self.draft.experiment == experiment:
            self.draft = None
        self.db = db
        self.experiment = experiment
        self.id = id
        self.origin = origin
        self.version += 1

    @property
    def draft(self) -> Draft | None:
        """Experiment on the Plan screen; None if it is the open one."""
        return self.drafts.get(self._name)

    @draft.setter
    def draft(self, draft: Draft | None) -> None:
        self.drafts.pop(self._name, None)
        if draft:
            self.drafts[self._name] = draft

    @property
    def unsaved(self) -> list[str]:
        """Names of the databases with a changed plan that is neither run nor in a file."""
        lost = (db.name for (db, _), own in self.drafts.items() if own.experiment not in self.kept)
        return [*dict.fromkeys(lost)]

    @property
    def plan(self) -> Draft:
        """What the Plan screen shows: the changed plan, or the open experiment."""
        return self.draft or Draft(self.experiment or Experiment(), self.origin)

    @plan.setter
    def plan(self, plan: Draft) -> None:
        self.draft = None if plan.experiment == self.experiment else plan

    @property
    def unplanned(self) -> str:
        """Why there is nothing to show without an id, as a clause."""
        if self.draft:
            return "the plan was not run yet"
        return "this experiment was not run yet" if self.experiment else "no experiment was run yet"

    def agree(self, plan: Draft) -> Draft:
        """Return a plan with the origin of typed values, as the user agreed to its own."""
        agreed = Draft(plan.experiment, TYPED)
        if self.experiment == plan.experiment:
            self.origin = TYPED
        elif self.draft and self.draft.experiment == plan.experiment:
            self.draft = agreed
        return agreed

    def set_planned(self, plan: Draft, id: str) -> None:
        """Open a plan of the open database that is stored with this id.

        If the Plan screen shows another plan by now, that one stays there as a changed plan.
        """
        draft = self.draft
        self.draft = None
        if self.id and self.id != id:
            self.version += 1
        self.experiment, self.origin, self.id = plan.experiment, plan.origin, id
        if draft:
            self.plan = draft

    @property
    def _name(self) -> tuple[Path, str]:
        return self.db.absolute(), self.id

    async def with_store(self, function: Callable[[Store], T]) -> T:
        """Return the function's result; it runs in another thread, on a store opened for it.

        Raises StoreError if the database does not exist or cannot be read.
        """
        db = self.db

        def run() -> T:
            with Store(db, must_exist=True, checked=self.checked) as store:
                self.checked = store.identity
                return function(store)

        return await asyncio.to_thread(run)


def open_session(
    experiment: Experiment | None,
    db: Path,
    overrides: Overrides,
    server_options: JudgeServerOptions = DEFAULT_OPTIONS,
    *,
    origin: Origin = TYPED,
) -> Session:
    """Return a session with the given experiment, or with the database's newest one."""
    session = Session(
        db, experiment, overrides=overrides, server_options=server_options, origin=origin
    )
    if experiment is None and exists(db):
        with Store(db, must_exist=True) as store:
            experiments = store.experiments()
        if experiments:
            session.id = experiments[-1].id
            session.experiment, session.origin = parse_stored(experiments[-1], db)
    return session
