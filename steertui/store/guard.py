"""Checks on a database file before it is used: its schema, and a limit on its statements.

Users exchange databases. Triggers run when rows are added, and views when they are read. A file
with other triggers or views than steertui's could change results or never end a query.
"""

import os
import re
import sqlite3
import sys
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from steertui.errors import StoreError, shorten
from steertui.store.database import Database
from steertui.store.read_only import is_read_only, read_uri
from steertui.store.schema import migration_names, migrations

STEP = 1_000_000
"""Instructions of SQLite's virtual machine in one step, after which the limit is checked."""

STEPS = 3_000
"""Maximum steps of one statement, apart from the size of the file."""

STEPS_PER_MB = 10
"""Additional steps for each MB of the file. The longest statement of a report on a file of 300 MB
takes about 100 steps."""

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""Last bytes of a rollback journal that ends with the name of a super-journal."""

MIN_SUPER_JOURNAL = 16
"""Smallest journal in bytes in which SQLite looks for such a name."""

_LEDGER = "_sqlite_migrations"
_COLUMN = r"(id INTEGER|migration_set TEXT|name TEXT|applied_at TEXT)( PRIMARY KEY| NOT NULL)?"
_LEDGER_FORMS = re.compile(
    rf"CREATE TABLE {_LEDGER}\({_COLUMN}(,{_COLUMN})*(,PRIMARY KEY\(migration_set,name\))?\)"
    rf"|CREATE UNIQUE INDEX \w+ ON {_LEDGER}\(migration_set,name\)"
)
"""SQL of sqlite-utils' table of migrations; the order of columns depends on its version."""

_STATISTICS = {
    "sqlite_stat1": "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "sqlite_stat4": "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
}
"""Tables of `ANALYZE`. Their rows affect the speed of a query, not its result."""

LOCK_WAIT = 30.0
"""Seconds for which a statement waits for a lock of another connection."""

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""Errors of a statement; Python cannot decode SQLite's message if it quotes a damaged schema."""

Schema = dict[tuple[str, str], str]
"""Normalised SQL by kind and name; "" for an index that SQLite creates automatically."""


class GuardedConnection(sqlite3.Connection):
    """Connection that aborts a statement with more steps than the limit (`STEPS`)."""

    path = Path()
    steps = 0

    def execute(self, *args: Any) -> sqlite3.Cursor:
        """Execute a statement and restart the count of steps."""
        self.steps = 0
        return super().execute(*args)

    def count(self) -> bool:
        """Count a step; return whether the limit is exceeded."""
        self.steps += 1
        if self.steps <= STEPS:
            return False
        return self.steps > STEPS + STEPS_PER_MB * self.path.stat().st_size // 1_000_000


def connect(path: Path) -> GuardedConnection:
    """Return a connection that does not run triggers of the file; see `check_schema`, `trust`.

    A missing file is created. A file that this user cannot change is opened for reading only (see
    `read_only`). Raises StoreError if a journal beside the file would make SQLite delete another
    file.
    """
    check_journal(path)
    create_private(path)
    if is_read_only(path):
        db = sqlite3.connect(read_uri(path), uri=True, factory=GuardedConnection)
    else:
        db = sqlite3.connect(path, timeout=LOCK_WAIT, factory=GuardedConnection)
    db.path = path
    db.set_progress_handler(db.count, STEP)
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    if sys.version_info >= (3, 12):
        db.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    return db


def check_journal(path: Path) -> None:
    """Raise StoreError if the database's rollback journal ends with the name of a super-journal.

    SQLite deletes the file of that name when it recovers the database. Only a transaction over
    several databases writes such a journal, and steertui has none.
    """
    journal = Path(f"{os.path.realpath(path)}-journal")
    if not os.path.lexists(journal):
        return
    if not journal.is_file():
        raise StoreError(f"{journal}: not a regular file; remove it")
    with journal.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_JOURNAL_MAGIC)))
        names_file = size >= MIN_SUPER_JOURNAL and file.read() == _JOURNAL_MAGIC
    if names_file:
        raise StoreError(
            f"{journal}: names another file, which SQLite would delete; remove this journal, or "
            "ask for the database without it"
        )


def create_private(path: Path) -> None:
    """Create an empty database that only its owner can read; an existing file is left unchanged.

    SQLite gives the files of its log the same permissions.
    """
    with suppress(OSError):  # it exists, or SQLite's own error names the reason
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def trust(db: sqlite3.Connection) -> None:
    """Allow the triggers of a checked schema; many builds of SQLite allow a full-text index only
    to a trusted schema."""
    db.execute("PRAGMA trusted_schema=ON")


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError unless the schema is the one that the file's migrations create.

    Every table, index, view and trigger is compared. An empty file is accepted as new.
    """
    db.execute("BEGIN")
    try:
        found = _schema(db)
        if found:
            _check(db, path, found)
    finally:
        db.rollback()


def _check(db: sqlite3.Connection, path: Path, found: Schema) -> None:
    if ("table", _LEDGER) not in found or ("table", "trials") not in found:
        raise StoreError(f"{path}: is not a steertui database; choose another one")
    ours = {key: sql for key, sql in found.items() if not _is_library(*key, sql)}
    if ("table", _LEDGER) in ours:
        raise _foreign(path, "table", _LEDGER, "is not as sqlite-utils creates it")
    expected = expected_schema(_level(db, path))
    for kind, name in [*ours, *expected]:
        if (kind, name) not in expected:
            raise _foreign(path, kind, name, "is not one of steertui's")
        if (kind, name) not in ours:
            raise _foreign(path, kind, name, "is missing")
        if ours[kind, name] != expected[kind, name]:
            raise _foreign(path, kind, name, "is not as steertui creates it")


def _is_library(kind: str, name: str, sql: str) -> bool:
    is_own_index = kind == "index" and name.startswith(f"sqlite_autoindex_{_LEDGER}_") and not sql
    is_statistics = kind == "table" and name in _STATISTICS and sql == _STATISTICS[name]
    return is_own_index or is_statistics or bool(_LEDGER_FORMS.fullmatch(sql))


def _foreign(path: Path, kind: str, name: str, what: str) -> StoreError:
    return StoreError(
        f"{path}: {shorten(kind)} {shorten(name)} {what}, and a changed schema can change results; "
        "ask for the database as steertui wrote it, or choose another database"
    )


def is_current(db: sqlite3.Connection) -> bool:
    """Whether a checked database has the present schema; False for an empty file."""
    return bool(_schema(db)) and len(_applied(db)) == len(migration_names())


def _applied(db: sqlite3.Connection) -> list[str]:
    """Return the names of the migrations that were applied to the file, in their order."""
    sql = f"SELECT name FROM {_LEDGER} WHERE migration_set = ? ORDER BY rowid"
    return [row[0] for row in db.execute(sql, [migrations.name])]


def _level(db: sqlite3.Connection, path: Path) -> int:
    """Return the number of migrations that were applied to the file."""
    applied = _applied(db)
    known = migration_names()
    unknown = set(applied) - set(known)
    if unknown:
        first = shorten(min(map(str, unknown)))  # damaged rows have values of any type
        raise StoreError(
            f"{path}: was written by a newer steertui (schema '{first}'); "
            "update steertui, or choose another database"
        )
    if applied != known[: len(applied)]:
        raise _foreign(path, "table", _LEDGER, "lists migrations in an impossible order")
    return len(applied)


@cache
def expected_schema(level: int) -> Schema:
    """Return the schema that the first `level` migrations create in an empty database."""
    following = migration_names()[level : level + 1]
    with sqlite3.connect(":memory:") as db:
        migrations.apply(Database(db), stop_before=following)
        found = _schema(db)
    db.close()
    return {key: sql for key, sql in found.items() if not _is_library(*key, sql)}


def _schema(db: sqlite3.Connection) -> Schema:
    rows = db.execute("SELECT type, name, sql FROM sqlite_master")
    # A damaged file may have values of any type here.
    return {(str(kind), str(name)): normalise(str(sql or "")) for kind, name, sql in rows}


@lru_cache(maxsize=256)
def normalise(sql: str) -> str:
    """Return SQL without quotes around plain names and without extra white space.

    Both differ between versions of SQLite and of sqlite-utils.
    """
    bare = re.sub(r"\[(\w+)\]|\"(\w+)\"|`(\w+)`", lambda m: m[m.lastindex or 0], sql)
    return re.sub(r" ?([(),]) ?", r"\1", " ".join(bare.split()))
