"""Opening of experiments and databases in the app, and the list of recent ones."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from os.path import lexists
from pathlib import Path
from time import time

from textual import work
from textual.events import ScreenResume
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.core.experiment import Experiment
from steertui.errors import SteertuiError, StoreError
from steertui.paths import exists, is_folder
from steertui.planning.origin import TYPED, Origin
from steertui.planning.stored_experiment import parse_stored
from steertui.store import Store
from steertui.store.checked import long_check_text, takes_long_to_check
from steertui.store.records import StoredExperiment
from steertui.store.run_lock import experiment_at_work
from steertui.tui.open_dialog import Chosen, OpenDialog
from steertui.tui.ordered_keys import OrderedKeys
from steertui.tui.recent import (
    RecentExperiment,
    gap_and_judge,
    load_recent,
    merge_recent,
    note_recent,
    stored_experiments,
)
from steertui.tui.session import Draft, Session
from steertui.tui.widgets.page import Page
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.screen_words import in_screen_words

MAX_SUMMARISED = 20_000
"""Answers up to which the gap is computed for the list alone, in at most a third of a second."""


MAX_CHECK = 600
"""Seconds for which the message that a database is checked is shown, unless the check ends."""


class Opening(OrderedKeys):
    """App that opens experiments in its session and notes them in the list of recent ones."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self._mode_versions: dict[str, int] = {}

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a message for some seconds, in the words of the screens."""
        super().notify(
            in_screen_words(message),
            title=title,
            severity=severity,
            timeout=timeout,
            markup=markup,
        )

    @property
    def is_at_work(self) -> bool:
        """Whether a run is in progress in this process, paused or not."""
        return self.running_experiment is not None

    @property
    def running_experiment(self) -> Experiment | None:
        """The experiment of the run in progress in this process; None without one."""
        return None

    @property
    def labelling_task(self) -> str:
        """Title of the screen of this process whose task may label the answers; "" for none."""
        return ""

    async def experiment_elsewhere(self) -> str | None:
        """Return the id of what another process runs or judges on the open database.

        None if no other process does, "" if the id is unknown.
        """
        db = self.session.db
        if self.is_at_work or not exists(db):
            return None
        experiment = await asyncio.to_thread(experiment_at_work, db)
        is_same = not self.is_at_work and db == self.session.db  # neither has changed meanwhile
        return experiment if is_same else None

    async def is_run_elsewhere(self) -> bool:
        """Return whether another process runs on the open database."""
        return await self.experiment_elsewhere() is not None

    async def go(self, page: str) -> None:
        """Show a screen; the current one is updated.

        What was shown over it, such as a report, is closed if another experiment was opened since.
        """
        if page == self.current_mode:
            self.screen.post_message(ScreenResume())
        await self.switch_mode(page)
        if self._mode_versions.get(page) != self.session.version:
            await self.close_overlays()
        self._mode_versions[page] = self.session.version

    async def close_overlays(self) -> None:
        """Close what is shown over the current screen, such as a report, except dialogs."""
        while len(self.screen_stack) > 1 and not isinstance(self.screen, ModalScreen):
            await self.pop_screen()

    def open(
        self, db: Path, experiment: Experiment | None, id: str = "", *, origin: Origin = TYPED
    ) -> bool:
        """Open another database or experiment; return False, and say why, during a run."""
        if not self._is_free():
            return False
        before, draft = self.session.db, self.session.draft
        self.session.open(db, experiment, id, origin=origin)
        if draft and draft is not self.session.draft and draft.experiment != experiment:
            message = f"The changed plan of {before} is kept: open {before} again with ctrl+o."
            self.notify(message, timeout=15, markup=False)
        return True

    def _is_free(self) -> bool:
        """Return whether no run is in progress here, and say so during one."""
        if self.is_at_work:
            message = "A run is in progress: stop it (2, then s) before you open or run another."
            self.notify(message, severity="warning", timeout=15)
        return not self.is_at_work

    async def start(self, plan: Draft | None = None) -> None:
        """Start or resume the open experiment, or another plan for the open database."""

    async def run_plan(self, plan: Draft) -> None:
        """Run a plan on the open database.

        If a stored experiment is open, it stays open, and the plan a changed one, until the run
        has stored the plan: a run that is declined or fails before loses neither.
        """
        session = self.session
        is_open = plan.experiment == session.experiment
        if session.id and not is_open:
            if self._is_free():
                await self.start(plan)
        elif self.open(session.db, plan.experiment, session.id, origin=plan.origin):
            await self.start()

    async def recent_experiments(self) -> list[RecentExperiment]:
        """Return the open experiment, then those of its database and the recent ones by time."""
        noted = await asyncio.to_thread(load_recent)
        db = self.session.db
        try:
            options = self.session.server_options
            stored = await self.session.with_store(
                lambda store: stored_experiments(store, db, options)
            )
        except SteertuiError:  # the database does not exist yet or cannot be read
            stored = []
        return merge_recent(stored, noted, self.session.id)

    @work(exit_on_error=False)
    async def action_open(self) -> None:
        """Choose an experiment or a database, and open it; ask again if it cannot be opened."""
        experiments = await self.recent_experiments()
        typed, problem, is_asked = "", "", True
        while is_asked:
            chosen = await self.push_screen_wait(OpenDialog(experiments, typed, problem))
            if chosen is None:
                return
            typed, problem = "" if isinstance(chosen, RecentExperiment) else str(chosen), ""
            try:
                is_asked = not await self._open_chosen(chosen)
            except SteertuiError as exc:
                problem = str(exc)

    async def _open_chosen(self, chosen: Chosen) -> bool:
        """Open an experiment or a database; return False if the user does not want it.

        Raises SteertuiError if it cannot be opened.
        """
        if isinstance(chosen, RecentExperiment):
            await self.open_recent(chosen)
        elif lexists(chosen):
            await self._open_stored(chosen, "")
        else:
            return await self._begin(chosen)
        return True

    async def _begin(self, db: Path) -> bool:
        """Plan an experiment in a database that its first run creates, after a confirmation.

        Return False without the user's consent. Raises StoreError if there is no such folder.
        """
        if not is_folder(db.absolute().parent):
            raise StoreError(f"{db}: its folder does not exist; create it, or give another path")
        question = f"{db} does not exist. Plan a new experiment in it? Its first run creates it."
        if not await self.push_screen_wait(Confirm(question, "Plan")):
            return False
        if self.open(db, None):
            await self.go("plan")
        return True

    async def open_recent(self, recent: RecentExperiment) -> None:
        """Open an experiment; show Run if answers are missing, else Results.

        Raises SteertuiError if it cannot be opened.
        """
        is_open = (recent.db, recent.id) == (str(self.session.db.resolve()), self.session.id)
        if is_open:
            await self.go("run" if recent.answered < recent.trials else "results")
        else:
            await self._open_stored(Path(recent.db), recent.id)

    async def _open_stored(self, db: Path, id: str) -> None:
        """Open a database's experiment with this id; "" for its newest.

        Raises SteertuiError if it cannot be opened.
        """
        is_long = takes_long_to_check(db)
        if is_long:
            text = long_check_text(db, db.stat().st_size)
            self.notify(text, timeout=MAX_CHECK, markup=False)
        try:
            stored, answered = await asyncio.to_thread(_find, db, id)
        finally:
            if is_long:
                self.clear_notifications()
        experiment, origin = parse_stored(stored, db)
        if self.open(db, experiment, stored.id, origin=origin):
            self.note()
            await self.go("run" if answered < stored.trials else "results")

    @work(exclusive=True, group="note", exit_on_error=False)
    async def note(self, summary: Summary | None = None) -> None:
        """Put the open experiment on top of the recent ones.

        Without a summary, its gap is computed unless that would take long.
        """
        db, id = self.session.db, self.session.id
        if id:
            options, seen_at, at_work = self.session.server_options, time(), self.is_at_work
            seen = await self.session.with_store(
                lambda store: _seen(store, stored_experiments(store, db, options), id, summary)
            )
            if seen:
                await asyncio.to_thread(
                    note_recent, replace(seen, seen_at=seen_at, at_work=at_work)
                )
        if isinstance(self.screen, Page):
            self.screen.show_noted()


def _seen(
    store: Store, experiments: Iterable[RecentExperiment], id: str, summary: Summary | None
) -> RecentExperiment | None:
    """Return the experiment with its gap; None if it is not in the database any more."""
    experiment = next((one for one in experiments if one.id == id), None)
    if experiment is None:
        return None
    if summary is None and experiment.answered <= MAX_SUMMARISED:
        summary = summarise_experiment(store, id)
    gap, judge = gap_and_judge(summary)
    return replace(experiment, gap=gap, judge=judge)


def _find(db: Path, id: str) -> tuple[StoredExperiment, int]:
    """Return an experiment, by default the newest, and its number of answers."""
    with Store(db, must_exist=True) as store:
        experiments = {stored.id: stored for stored in store.experiments()}
        stored = experiments.get(id) if id else next(reversed(experiments.values()), None)
        if stored is None:
            raise StoreError(f"{db}: the experiment is not in this database any more")
        return stored, len(store.answered_keys(stored.id))
