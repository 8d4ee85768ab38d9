"""Follower of a run in another process: it reads what that process stores, and changes nothing."""

import threading
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from textual.message import Message
from textual.message_pump import MessagePump

from steertui.analysis.summary import summarise_experiment
from steertui.core.experiment import Experiment
from steertui.store import Store
from steertui.store.progress_queries import ChangeMark, changes_between, current_mark
from steertui.store.run_lock import experiment_at_work
from steertui.tui.pending_labels import first_judge
from steertui.tui.run.run_messages import RunUpdate
from steertui.tui.run.run_state import RunState
from steertui.tui.run.stored_totals import read_totals

INTERVAL = 1.0
"""Seconds between two looks at what the other process has stored."""

QUIET_AFTER = 15.0
"""Seconds without a change after which the other process is reported as quiet."""


@dataclass
class OtherEnded(Message):
    """The follower has ended: the run of the other process is over, it works on another experiment
    now, or the database cannot be read."""


@dataclass
class Quiet(Message):
    """The other process has stored nothing for so many seconds, at least `QUIET_AFTER`."""

    seconds: float


class Follower:
    """Posts changes of one experiment to `target` while another process runs on the database."""

    def __init__(
        self,
        db: Path,
        ids: tuple[str, str],
        plan: Experiment | None,
        run: RunState,
        target: MessagePump,
    ) -> None:
        """Follow an experiment; `ids` are its id and that of what the other process works on.

        `plan` is the experiment's, None if it cannot be read.
        Statuses are those under the judge that `run` shows, or else the first one with labels.
        """
        self._db = db
        self._experiment, self._at_work = ids
        self._plan = plan
        self._run = run
        self._target = target
        self._end = threading.Event()

    def stop(self) -> None:
        """Stop following; the other process is not affected."""
        self._end.set()

    def work(self) -> None:
        """Post changes until the other process ends or changes its work, or `stop` is called.

        Raises SteertuiError if the database cannot be read any more.
        """
        try:
            self._follow()
        finally:
            if not self._end.is_set():
                self._target.post_message(OtherEnded())

    def _follow(self) -> None:
        with Store(self._db, must_exist=True) as store:
            last = ChangeMark()
            is_busy, changed_at = True, monotonic()
            while is_busy and not self._end.wait(INTERVAL):
                is_busy = experiment_at_work(self._db) == self._at_work
                before, last = last, self._post_changes(store, last)
                changed_at = changed_at if before == last else monotonic()
                if monotonic() - changed_at >= QUIET_AFTER:
                    self._target.post_message(Quiet(monotonic() - changed_at))

    def _post_changes(self, store: Store, since: ChangeMark) -> ChangeMark:
        now = current_mark(store)
        if now != since:
            experiment, run = self._experiment, self._run
            judge = run.judge or first_judge(store, experiment)
            statuses = changes_between(store, experiment, judge, since, now)
            update = RunUpdate(
                statuses=statuses,
                judge=judge,
                totals=read_totals(store, experiment, self._plan, judge, run.others),
                summary=summarise_experiment(store, experiment) if statuses else None,
            )
            self._target.post_message(update)
        return now
