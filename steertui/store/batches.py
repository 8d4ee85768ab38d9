"""Batches in the store: questions sent to a judge in one file, and their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from steertui.core.verdict import Verdict
from steertui.store.records import JudgeReply
from steertui.store.rows import now
from steertui.store.verdicts import Verdicts

PLANNED = "planned"
"""State of a batch that is stored and may not have been sent."""

SENT = "sent"
"""State of a batch with a server id and without results. Later states are the server's words."""

BatchResult = tuple[str, Verdict, JudgeReply | None]
"""Key of the trial, verdict, and the reply it came from."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch without stored results.

    Attributes:
        mark: our mark in the batch's metadata, by which the server finds it.
        id: the server's id, "" if it may not have been started.
        api: "responses" or "chat".
        request_format: description of the request format.
        keys: keys of the trials it asks about.
        planned_at: time of planning, seconds since the epoch.
    """

    mark: str
    id: str
    api: str
    request_format: str
    keys: tuple[str, ...]
    planned_at: float


class Batches(Verdicts):
    """Reading and writing of batches, whose state is updated in place."""

    def add_batch(
        self,
        mark: str,
        judge: str,
        experiment: str,
        *,
        api: str,
        request_format: str,
        keys: Sequence[str],
    ) -> None:
        """Add a batch before it is sent (for the arguments see `Batch`)."""
        row = (mark, judge, experiment, "", len(keys), PLANNED, now(), api, request_format)
        sql = f"""INSERT INTO batches (mark, judge, experiment, id, requests, state, created_at,
            api, request_format) VALUES ({", ".join("?" * len(row))})"""
        with self._writing() as db:
            db.execute(sql, row)
            for key in keys:
                db.execute("INSERT INTO batch_items VALUES (?, ?)", [mark, key])

    def set_batch_sent(self, mark: str, batch: str) -> None:
        """Store the server's id of a batch that was started."""
        self._set_state(mark, batch, SENT)

    def set_batch_unsent(self, mark: str) -> None:
        """Store that a batch was never started; it is no longer pending."""
        self._set_state(mark, "", "never started")

    def _set_state(self, mark: str, batch: str, state: str) -> None:
        with self._writing() as db:
            db.execute("UPDATE batches SET id = ?, state = ? WHERE mark = ?", [batch, state, mark])

    def pending_batches(self, judge: str) -> list[Batch]:
        """Return the judge's batches without stored results, oldest first."""
        sql = """SELECT mark, id, api, request_format, created_at FROM batches
            WHERE judge = ? AND state IN (?, ?) ORDER BY created_at"""
        return [
            Batch(
                mark=mark,
                id=identity,
                api=api,
                request_format=request_format,
                keys=self._batch_keys(mark),
                planned_at=datetime.fromisoformat(created_at).timestamp(),
            )
            for mark, identity, api, request_format, created_at in self.tuples(
                sql, [judge, PLANNED, SENT]
            )
        ]

    def _batch_keys(self, mark: str) -> tuple[str, ...]:
        return tuple(self.column("SELECT trial FROM batch_items WHERE mark = ?", [mark]))

    def add_batch_results(
        self, mark: str, state: str, message: str, results: Sequence[BatchResult]
    ) -> None:
        """Add the results of an ended batch in one transaction, so that none is counted twice.

        Args:
            mark: mark of the batch.
            state: final state that the server reported.
            message: the server's error message, "" for none.
            results: one for each trial of the batch.
        """
        with self._writing() as db:
            for key, verdict, reply in results:
                self._insert_verdict(db, key, verdict, reply)
            sql = "UPDATE batches SET state = ?, message = ? WHERE mark = ?"
            db.execute(sql, [state, message, mark])
