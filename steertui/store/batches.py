"""The store's batches: questions sent to a judge in one file, and their replies, stored at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from steertui.core.verdict import Verdict
from steertui.store.rows import JudgeReply, now
from steertui.store.verdicts import Verdicts

PLANNED, SENT = "planned", "sent"
"""States of a batch whose replies are still to come; the others are the server's own words."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch whose replies are still to come.

    Attributes:
        mark: our name for it, which the server keeps, too.
        id: the server's name for it; "" where it may never have been started.
        api: "responses" or "chat".
        way: how it is asked, in words.
        keys: of the trials it asks about.
        begun: when it was planned, in seconds of the epoch.
    """

    mark: str
    id: str
    api: str
    way: str
    keys: tuple[str, ...]
    begun: float


class Batches(Verdicts):
    """What the store knows of batches: the one kind of row that changes, with its state."""

    def plan_batch(
        self, mark: str, judge: str, experiment: str, api: str, way: str, keys: Sequence[str]
    ) -> None:
        """Write down that a batch is about to be sent, before it is."""
        row = (mark, judge, experiment, "", len(keys), PLANNED, now(), api, way)
        with self._writing() as db:
            db.execute(
                "INSERT INTO batches (mark, judge, experiment, id, requests, state, created_at, "
                f"api, way) VALUES ({', '.join('?' * len(row))})",
                row,
            )
            for key in keys:
                db.execute("INSERT INTO batch_items VALUES (?, ?)", [mark, key])

    def name_batch(self, mark: str, batch: str) -> None:
        """Write down the server's name for a batch that was started."""
        self._set(mark, batch, SENT)

    def drop_batch(self, mark: str) -> None:
        """Write down that a batch was never started."""
        self._set(mark, "", "never started")

    def _set(self, mark: str, batch: str, state: str) -> None:
        with self._writing() as db:
            db.execute("UPDATE batches SET id = ?, state = ? WHERE mark = ?", [batch, state, mark])

    def open_batches(self, judge: str) -> list[Batch]:
        """Return the judge's batches whose replies are still to come."""
        sql = """SELECT mark, id, api, way, created_at FROM batches
            WHERE judge = ? AND state IN (?, ?) ORDER BY created_at"""
        found = self.query(sql, [judge, PLANNED, SENT])
        return [
            Batch(
                r["mark"], r["id"], r["api"], r["way"], self._keys(r["mark"]),
                datetime.fromisoformat(r["created_at"]).timestamp(),
            )
            for r in found
        ]  # fmt: skip

    def _keys(self, mark: str) -> tuple[str, ...]:
        rows = self.query("SELECT trial FROM batch_items WHERE mark = ?", [mark])
        return tuple(row["trial"] for row in rows)

    def close_batch(
        self,
        mark: str,
        state: str,
        said: str,
        found: Sequence[tuple[str, Verdict, JudgeReply | None]],
    ) -> None:
        """Add all verdicts of a batch that is over, with their exchanges, in one transaction: a
        batch is stored whole or not at all, so nothing of it can be counted twice."""
        with self._writing() as db:
            for key, verdict, exchange in found:
                self._add_verdict(db, key, verdict, exchange)
            db.execute("UPDATE batches SET state = ?, said = ? WHERE mark = ?", [state, said, mark])
