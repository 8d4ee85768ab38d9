"""Connection to one SQLite file: schema check, migrations, error messages with remedies."""

import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from steertui.errors import StoreError, shorten
from steertui.paths import is_file, is_folder
from steertui.store.checked import NOTES, FileId, file_id, is_checked, log_check, note_checked
from steertui.store.database import Database
from steertui.store.guard import (
    LOCK_WAIT,
    SQLITE_ERRORS,
    check_journal,
    check_schema,
    connect,
    is_current,
    trust,
)
from steertui.store.intake import check_content, check_values, require_intact
from steertui.store.read_only import copy_with_logs, has_log, is_read_only
from steertui.store.schema import migrations

SQLITE_VERSION = sqlite3.sqlite_version
"""Version of the SQLite library that Python uses."""

LOG = logging.getLogger(__name__)

WRITING = "another program is writing to it"

SILENT_WAIT = 2.0
"""Seconds of waiting for a lock after which it is said."""

WAL_INTERVAL = 0.02
"""Seconds between two attempts to switch to WAL mode."""

ROW_ERRORS = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
)
"""Errors in code that reads rows. If the rows are damaged, the user gets an error on the damage."""


class Connection:
    """One connection to one SQLite file in WAL mode, for one thread.

    A file that this user cannot change is only read, and adding a row raises StoreError. If it has
    a log or an earlier schema, a private copy is read.

    Each added row is one transaction. The values and content hashes of a file that has changed
    since steertui wrote or checked it are checked when it is opened.

    Args:
        path: the file.
        must_exist: whether a missing file is an error; otherwise it is created.
        checked: `identity` of a connection of this process that has checked the file. It spares the
            check of a file that is being written.

    Raises:
        StoreError: in one sentence, for what the user can correct: not a database, a newer schema,
            content that steertui does not write, no write permission, a full disk.
    """

    def __init__(
        self, path: Path, *, must_exist: bool = False, checked: FileId | None = None
    ) -> None:
        self.path = path
        with self._translate_errors():
            if must_exist and not (is_file(path) or is_folder(path)):
                raise StoreError(f"{path}: no such database; give one that a run has written")
            if is_folder(path):
                raise StoreError(f"{path}: is a folder; give a file for the database")
            state = NOTES.state(path) if is_file(path) else None
            self._read_only_state = state if is_read_only(path) else None
            with ExitStack() as stack:
                place = path if self._read_only_state is None else readable_place(path, stack)
                connection = stack.enter_context(closing(connect(place)))
                self.identity = file_id(path)
                is_known = checked == self.identity or is_checked(path)
                self._open(connection, None if is_known else place)
                if state and not is_known:
                    note_checked(path, state)
                self._resources = stack.pop_all()
            self._changes = connection.total_changes
            self._is_open = True

    def _open(self, connection: sqlite3.Connection, unchecked: Path | None) -> None:
        """Check and migrate a database; `unchecked` is its file if the content is not known."""
        check_schema(connection, self.path)
        if unchecked:
            log_check(self.path)
            check_values(self.path, unchecked)
        trust(connection)
        self._db = Database(connection)
        connection.execute("PRAGMA foreign_keys=ON")
        if self._read_only_state is None:  # the file is changed from here on
            use_wal(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
        if not is_current(connection):
            self._migrate()
        if unchecked:
            check_content(self.path, unchecked)
        if self._read_only_state is not None:
            connection.execute("PRAGMA query_only=ON")

    def _migrate(self) -> None:
        """Apply the missing migrations; other connections that open the file wait for them."""
        with self._writing() as db:
            migrations.apply(db)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection.

        Raises StoreError for an error that damaged rows explain, if a file that is read without a
        lock was written meanwhile, and if a file that was written is no longer there.
        """
        with self._translate_errors():
            has_written = self._has_written
            self.close()
            if value is None and has_written:
                self._require_in_place()
            if self._read_only_state and self._read_only_state != NOTES.state(self.path):
                raise StoreError(f"{self.path}: was written while it was read; try again")
            if isinstance(value, sqlite3.Error):
                raise value
            if isinstance(value, ROW_ERRORS):
                require_intact(self.path, value)

    def close(self) -> None:
        """Close the connection; all rows added before are kept."""
        if not self._is_open:
            return
        self._is_open = False
        # Closing changes the file: the log moves into it.
        is_known = self._has_written or is_checked(self.path)
        self._resources.close()
        if is_known and self._is_in_place:
            note_checked(self.path)

    def note_rows(self) -> None:
        """Note that added rows are steertui's, so that connections that open now check nothing."""
        if self._has_written and self._is_in_place:
            note_checked(self.path)

    @property
    def _has_written(self) -> bool:
        """Whether this connection has added rows."""
        return self._db.conn.total_changes > self._changes

    @property
    def _is_in_place(self) -> bool:
        """Whether the path still leads to the open file."""
        return self.path.exists() and file_id(self.path) == self.identity

    def _require_in_place(self) -> None:
        """Raise StoreError if the open file was moved, removed or replaced."""
        if not self._is_in_place:
            raise StoreError(
                f"{self.path}: was moved, removed or replaced while it was open, and what was "
                "stored since may be lost; put it back, or run the same command again, which "
                "computes what is missing"
            )

    def reopen(self) -> Self:
        """Return another connection to the same file, for another thread."""
        return type(self)(self.path, must_exist=True, checked=self.identity)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except SQLITE_ERRORS as exc:
            raise StoreError(f"{self.path}: {_remedy(exc)}") from exc

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        """A transaction that may read before it writes.

        It waits for other writers at its beginning. A transaction that takes the write lock only
        when it first writes fails at once if another connection has written since its first read.
        """
        with self._translate_errors():
            is_outermost = not self._db.conn.in_transaction
            if is_outermost:
                self._require_in_place()
                self._begin()
            try:
                with self._db.atomic():
                    yield self._db
                if is_outermost:
                    self._db.conn.commit()
            except BaseException:
                if is_outermost:
                    self._db.rollback()
                raise

    def _begin(self) -> None:
        """Begin a transaction that writes; say so if another program's takes long."""
        connection = self._db.conn
        _set_wait(connection, SILENT_WAIT)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            LOG.warning(f"{self.path}: {WRITING}; waiting for up to {LOCK_WAIT:.0f} s …")
            _set_wait(connection, LOCK_WAIT)
            connection.execute("BEGIN IMMEDIATE")
        finally:
            _set_wait(connection, LOCK_WAIT)

    # For modules of this package; others call the functions of the query modules.

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return a query's rows as dicts by column name."""
        with self._translate_errors():
            return list(self._db.query(sql, parameters))

    def column(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the first column of a query's rows."""
        with self._translate_errors():
            return [row[0] for row in self._db.execute(sql, list(parameters))]

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield a query's rows one at a time, in constant memory and faster than `query`."""
        with self._translate_errors():
            # `yield from` would close the cursor, perhaps after its connection was closed.
            for row in self._db.execute(sql, list(parameters)):  # noqa: UP028
                yield row


def _set_wait(connection: sqlite3.Connection, seconds: float) -> None:
    """Set for how long a statement waits for a lock of another connection."""
    connection.execute(f"PRAGMA busy_timeout={1000 * seconds:.0f}")


def use_wal(connection: sqlite3.Connection, max_wait: float = LOCK_WAIT) -> None:
    """Switch to WAL mode, in which a file stays; retry for `max_wait` seconds.

    SQLite does not wait for this lock, and connections that open a new file at once compete for it.
    """
    deadline = time.monotonic() + max_wait
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(WAL_INTERVAL)
        else:
            return


def readable_place(path: Path, stack: ExitStack) -> Path:
    """Return a file from which a read-only database can be read: itself, or a private copy.

    The copy is removed when the stack is closed.
    """
    if not os.access(path, os.R_OK):
        raise StoreError(f"{path}: cannot be read; check its permissions and its folder's")
    check_journal(path)
    if not has_log(path):
        with closing(connect(path)) as db:
            check_schema(db, path)
            if is_current(db):
                return path
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="steertui-"))
    copy = Path(folder) / "copy.db"
    copy_with_logs(path, copy)
    return copy


def _remedy(exc: Exception) -> str:
    """Return the problem and the remedy for an error of SQLite."""
    if isinstance(exc, UnicodeDecodeError):
        return "is damaged; restore a copy, or choose another database"
    text = str(exc)
    remedies = {
        "file is not a database": "is not a SQLite database; choose another database",
        "malformed": "is damaged; restore a copy, or choose another database",
        "unable to open": "cannot be opened; check that its folder exists and can be written",
        "readonly": "cannot be written; check its permissions and its folder's",
        "full": "the disk is full; stored rows are safe, free some space and try again",
        "locked": f"{WRITING}; wait for it, or choose another database",
        "decode to UTF-8": "holds text that is not UTF-8; ask for another copy of it",
        "interrupted": "a query on it did not end; do not use this file, or restore a copy",
        "disk I/O": "the disk refused a write; check it, then try again",
    }
    return next(
        (r for mark, r in remedies.items() if mark in text), f"SQLite says: {shorten(text)}"
    )
