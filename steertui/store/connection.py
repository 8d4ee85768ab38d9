"""A Connection: one SQLite file, its migrations, and errors that say what to do."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from steertui.errors import StoreError
from steertui.store.guard import check_schema, connect, trust
from steertui.store.schema import migrations

SQLITE_VERSION = sqlite3.sqlite_version
"""Of the SQLite library that Python was built with."""


class Connection:
    """One SQLite file and one connection to it, for one thread; WAL, a transaction a row.

    Raises StoreError, in one sentence, for whatever the user can mend: a file that is no
    database, a schema newer than the program, a folder that cannot be written, a full disk.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        self.path = path
        with self._mending():
            if must_exist and not path.exists():
                raise StoreError(f"{path}: no such database; give one that a run has written")
            if path.is_dir():
                raise StoreError(f"{path}: is a folder; give a file for the database")
            connection = connect(path)
            try:
                self._open(connection)
            except BaseException:
                connection.close()
                raise

    def _open(self, connection: sqlite3.Connection) -> None:
        check_schema(connection, self.path)
        trust(connection)
        self._db = Database(connection)
        # From here on the file is written to.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        migrations.apply(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; every row added before stays."""
        self._db.close()

    @contextmanager
    def _mending(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise StoreError(f"{self.path}: {_remedy(exc)}") from exc

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        with self._mending(), self._db.atomic():
            yield self._db

    # For modules of this package; others call the functions of the query modules.

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a query's rows as dicts by column name."""
        with self._mending():
            return list(self._db.query(sql, parameters))

    def column(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the first column of a query's rows."""
        with self._mending():
            return [row[0] for row in self._db.execute(sql, list(parameters))]

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield a query's rows one at a time, in constant memory and faster than `query`."""
        with self._mending():
            yield from self._db.execute(sql, list(parameters))


def _remedy(exc: sqlite3.Error) -> str:
    """Return what is wrong and what to do, for what SQLite says."""
    text = str(exc)
    remedies = {
        "file is not a database": "is not a SQLite database; choose another --db",
        "malformed": "is damaged; restore a copy, or choose another --db",
        "unable to open": "cannot be opened; check that its folder exists and can be written",
        "readonly": "cannot be written; check its permissions and its folder's",
        "full": "the disk is full; what was stored is safe, make room and run the same again",
        "locked": "another program is writing to it; wait for it, or choose another --db",
        "decode to UTF-8": "holds text that is not UTF-8; ask for another copy of it",
        "interrupted": "a query on it did not end; do not use this file, or restore a copy",
        "disk I/O": "the disk refused a write; check it, then run the same again",
    }
    return next((r for mark, r in remedies.items() if mark in text), f"SQLite says: {text}")
