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
from steertui.store.merge_conflicts import (
    in_order_of_time,
    later_states,
    later_words,
    one_answer,
    one_label,
    one_queue,
)
from steertui.store.store import Store


@dataclass(frozen=True, slots=True)
class Merged:
    """What one input gave.

    Attributes:
        added: rows by table.
        differing: keys of trials that both had answered differently.
        relabelled: by judge the number of answers that it had labelled differently in both.
    """

    path: Path
    added: dict[str, int] = field(default_factory=dict)
    differing: tuple[str, ...] = ()
    relabelled: dict[str, int] = field(default_factory=dict)


def merge(out: Path, inputs: Sequence[Path]) -> Iterator[Merged]:
    """Add every input to `out`, which is made where it is not there; yield what each gave.

    The inputs are not changed. Of two different answers to one trial the earlier stays, with the
    verdicts on it, and of two labels of one judge the earlier, of a person's the later: whatever
    the order of merging (`conflicts`). Raises StoreError where a file is no database of steertui's.
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
        differing = one_answer(db)
        relabelled = one_label(db)
        one_queue(db)
        numbers: dict[str, dict[int, int]] = {}
        added = {table: _add(db, table, numbers) for table in _tables(db)}
        later_words(db)
        later_states(db)
        in_order_of_time(db)
    db.execute("DETACH other")
    return Merged(path, {table: n for table, n in added.items() if n}, differing, relabelled)


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
