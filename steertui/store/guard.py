"""Checks on a database file before anything of it is used: its schema, and a limit on its queries.

Databases are exchanged between users. A trigger runs when a row is added and a view when it is
read, so a file with others than steertui's could change results or keep a program busy for ever.
"""

import re
import sqlite3
import sys
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from steertui.errors import StoreError
from steertui.store.schema import migrations

STEP = 1_000_000
"""Instructions of SQLite's virtual machine between two looks at the limit."""

STEPS, STEPS_PER_MB = 3_000, 10
"""Most steps of one statement: so many, and so many more for each MB of the file. The longest
statement of a report on 300 MB takes about 100."""

_LEDGER = "_sqlite_migrations"
_COLUMN = r"(id INTEGER|migration_set TEXT|name TEXT|applied_at TEXT)( PRIMARY KEY| NOT NULL)?"
_LEDGER_FORMS = re.compile(
    rf"CREATE TABLE {_LEDGER}\({_COLUMN}(,{_COLUMN})*(,PRIMARY KEY\(migration_set,name\))?\)"
    rf"|CREATE UNIQUE INDEX \w+ ON {_LEDGER}\(migration_set,name\)"
)
"""sqlite-utils' own table of migrations; the order of its columns depends on the version."""

_STATISTICS = {
    "sqlite_stat1": "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "sqlite_stat4": "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
}
"""What `ANALYZE` leaves behind; its rows decide how fast a query is, not what it returns."""

Schema = dict[tuple[str, str], str]
"""Normalised SQL by kind and name; "" for an index that SQLite makes by itself."""


class GuardedConnection(sqlite3.Connection):
    """A connection that aborts a statement which takes more steps than any of steertui's does."""

    path = Path()
    steps = 0

    def execute(self, *args: Any) -> sqlite3.Cursor:
        """Execute a statement, with all its steps before it."""
        self.steps = 0
        return super().execute(*args)

    def count(self) -> bool:
        """Count a step; return whether there were too many."""
        self.steps += 1
        if self.steps <= STEPS:
            return False
        return self.steps > STEPS + STEPS_PER_MB * self.path.stat().st_size // 1_000_000


def connect(path: Path) -> GuardedConnection:
    """Return a connection that trusts nothing in the file: `trust` it after `check_schema`."""
    db = sqlite3.connect(path, timeout=30, factory=GuardedConnection)
    db.path = path
    db.set_progress_handler(db.count, STEP)
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    if sys.version_info >= (3, 12):
        db.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    return db


def trust(db: sqlite3.Connection) -> None:
    """Let the triggers run, which are steertui's own: many builds of SQLite count its full-text
    index among what only a trusted schema may use."""
    db.execute("PRAGMA trusted_schema=ON")


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError unless every table, index, view and trigger is what the migrations that
    the file names have created; a file with nothing in it is new."""
    db.execute("BEGIN")
    try:
        found = _schema(db)
        if found:
            _check(db, path, found)
    finally:
        db.rollback()


def _check(db: sqlite3.Connection, path: Path, found: Schema) -> None:
    if ("table", _LEDGER) not in found or ("table", "trials") not in found:
        raise StoreError(f"{path}: is not a steertui database; choose another --db")
    own = {key: sql for key, sql in found.items() if not _is_library(*key, sql)}
    if ("table", _LEDGER) in own:
        raise _foreign(path, "table", _LEDGER, "is not as sqlite-utils makes it")
    expected = expected_schema(_level(db, path))
    for kind, name in [*own, *expected]:
        if (kind, name) not in expected:
            raise _foreign(path, kind, name, "is none of steertui's")
        if (kind, name) not in own:
            raise _foreign(path, kind, name, "is missing")
        if own[kind, name] != expected[kind, name]:
            raise _foreign(path, kind, name, "is not as steertui makes it")


def _is_library(kind: str, name: str, sql: str) -> bool:
    is_own_index = kind == "index" and name.startswith(f"sqlite_autoindex_{_LEDGER}_") and not sql
    is_statistics = kind == "table" and name in _STATISTICS and sql == _STATISTICS[name]
    return is_own_index or is_statistics or bool(_LEDGER_FORMS.fullmatch(sql))


def _foreign(path: Path, kind: str, name: str, what: str) -> StoreError:
    return StoreError(
        f"{path}: {kind} {name} {what}, and what a schema holds can change results; ask for the "
        "database as steertui wrote it, or choose another --db"
    )


def _level(db: sqlite3.Connection, path: Path) -> int:
    """Return how many of the migrations the file has had."""
    sql = f"SELECT name FROM {_LEDGER} WHERE migration_set = ? ORDER BY rowid"
    applied = [row[0] for row in db.execute(sql, [migrations.name])]
    known = [m.name for m in migrations._migrations]
    unknown = set(applied) - set(known)
    if unknown:
        raise StoreError(
            f"{path}: was written by a newer steertui (schema '{min(unknown)}'); "
            "update steertui, or choose another --db"
        )
    if applied != known[: len(applied)]:
        raise _foreign(path, "table", _LEDGER, "lists migrations in an order that never was")
    return len(applied)


@cache
def expected_schema(level: int) -> Schema:
    """Return the schema that the first `level` migrations create in an empty database."""
    following = [m.name for m in migrations._migrations[level : level + 1]]
    with sqlite3.connect(":memory:") as db:
        migrations.apply(Database(db), stop_before=following)
        found = _schema(db)
    db.close()
    return {key: sql for key, sql in found.items() if not _is_library(*key, sql)}


def _schema(db: sqlite3.Connection) -> Schema:
    rows = db.execute("SELECT type, name, sql FROM sqlite_master")
    return {(kind, name): normalise(sql or "") for kind, name, sql in rows}


@lru_cache(maxsize=256)
def normalise(sql: str) -> str:
    """Return SQL without what differs between versions of SQLite and sqlite-utils: the quotes
    around plain names, and white space."""
    bare = re.sub(r"\[(\w+)\]|\"(\w+)\"|`(\w+)`", lambda m: m[m.lastindex or 0], sql)
    return re.sub(r" ?([(),]) ?", r"\1", " ".join(bare.split()))
