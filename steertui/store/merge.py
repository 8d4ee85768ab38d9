"""Several databases made one: rows are added, and a trial that stands in two is kept once.

The tables are read from the database itself: whatever has a key of its own is added where it is not
there yet; rows that are only numbered (runs, answers, failures, verdicts) are told apart by what
stands in them, and get new numbers. One input is one transaction: a merge that was interrupted is
run again, one that was done changes nothing.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from steertui.errors import StoreError
from steertui.store.store import Store

CONFLICTS = """SELECT a.trial FROM main.generations AS a JOIN other.generations AS b USING (trial)
    WHERE a.text <> b.text ORDER BY a.trial"""

# The earlier answer stays, whatever the order of merging; of two at one time the smaller text.
LOSERS = """SELECT a.trial FROM main.generations AS a JOIN other.generations AS b USING (trial)
    WHERE a.text <> b.text AND (b.created_at, b.text) < (a.created_at, a.text)"""


@dataclass(frozen=True, slots=True)
class Merged:
    """What one input gave.

    Attributes:
        added: rows by table.
        differing: keys of trials that both had answered differently.
    """

    path: Path
    added: dict[str, int] = field(default_factory=dict)
    differing: tuple[str, ...] = ()


def merge(out: Path, inputs: Sequence[Path]) -> Iterator[Merged]:
    """Add every input to `out`, which is made where it is not there; yield what each gave.

    The inputs are not changed. Of two different answers to one trial the earlier stays, with the
    verdicts on it. Raises StoreError where a file is no database of steertui's.
    """
    for path in inputs:
        if path.resolve() == out.resolve():
            raise StoreError(f"{path}: is the database that is merged into; leave it out")
        if not path.is_file():
            raise StoreError(f"{path}: no such database; give one that a run has written")
    with Store(out):
        pass
    for path in inputs:
        with _copied(path) as copy, closing(sqlite3.connect(out, timeout=30)) as db:
            db.row_factory = sqlite3.Row
            try:
                yield _merge_one(db, path, copy)
            except sqlite3.Error as exc:
                raise StoreError(f"{path}: cannot be merged ({exc}); nothing of it was") from exc


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """Give a copy brought to today's schema: the input itself stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        try:
            with (
                closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as exc:
            raise StoreError(f"{path}: cannot be read ({exc}); give a database of runs") from exc
        try:
            Store(copy, must_exist=True).close()
        except StoreError as exc:
            raise StoreError(str(exc).replace(str(copy), str(path))) from None
        yield copy


def _merge_one(db: sqlite3.Connection, path: Path, copy: Path) -> Merged:
    db.execute("ATTACH ? AS other", [str(copy)])
    with db:
        db.execute("BEGIN IMMEDIATE")
        differing = tuple(row[0] for row in db.execute(CONFLICTS))
        earlier = {row[0] for row in db.execute(LOSERS)}
        for key in differing:
            side = "main" if key in earlier else "other"
            for table in ("readings", "verdicts", "generations", "deliveries"):
                db.execute(f"DELETE FROM {side}.{table} WHERE trial = ?", [key])
        numbers: dict[str, dict[int, int]] = {}
        added = {table: _add(db, table, numbers) for table in _tables(db)}
    db.execute("DETACH other")
    return Merged(path, {table: n for table, n in added.items() if n}, differing)


def _tables(db: sqlite3.Connection) -> list[str]:
    """Return the tables, those that others refer to first."""
    sql = """SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE '%\\_fts%' ESCAPE '\\'"""
    names = [row[0] for row in db.execute(sql)]
    needs = {n: {r["table"] for r in db.execute(f"PRAGMA foreign_key_list({n})")} for n in names}
    ordered: list[str] = []
    while len(ordered) < len(names):
        ordered += [n for n in names if n not in ordered and needs[n] - {n} <= set(ordered)]
    return ordered


def _add(db: sqlite3.Connection, table: str, numbers: dict[str, dict[int, int]]) -> int:
    """Add the other's rows to a table; return how many were not there. `numbers` is extended."""
    columns = [r["name"] for r in db.execute(f"PRAGMA main.table_info({table})")]
    keys = [r for r in db.execute(f"PRAGMA main.table_info({table})") if r["pk"]]
    if [(k["name"], k["type"]) for k in keys] != [("id", "INTEGER")]:
        names = ", ".join(columns)
        sql = f"INSERT OR IGNORE INTO main.{table} ({names}) SELECT {names} FROM other.{table}"
        return db.execute(sql).rowcount
    refers = {
        r["from"]: r["table"]
        for r in db.execute(f"PRAGMA main.foreign_key_list({table})")
        if r["table"] in numbers
    }
    columns.remove("id")
    there = {_content(row, columns): row["id"] for row in db.execute(f"SELECT * FROM main.{table}")}
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO main.{table} ({names}) VALUES ({marks})"
    own: dict[int, int] = {}
    count = 0
    for row in db.execute(f"SELECT * FROM other.{table} ORDER BY id").fetchall():
        found = dict(row) | {c: numbers[t][row[c]] for c, t in refers.items()}
        content = _content(found, columns)
        if content not in there:
            done = db.execute(insert, [found[c] for c in columns])
            count += done.rowcount
            there[content] = int(done.lastrowid or 0)
        own[row["id"]] = there[content]
    numbers[table] = own
    return count


def _content(row: Any, columns: Sequence[str]) -> bytes:
    text = json.dumps([row[c] for c in columns], ensure_ascii=False)
    return sha256(text.encode(errors="surrogatepass")).digest()
