"""Several databases made one: rows are added, and a trial that stands in two is kept once.

The tables are read from the database itself: whatever has a key of its own is added where it is not
there yet; rows that are only numbered (runs, answers, failures, verdicts) are told apart by what
stands in them, and get new numbers. One input is one transaction: a merge that was interrupted is
run again, one that was done changes nothing.

Inputs come from others, so every one is checked whole (`guard`, `intake`) before anything is
written. Where two databases differ, what the receiving one holds stays in use (`conflicts`); inputs
are merged in the order of their content's hash, so that between two of them the order in which they
were named decides nothing, and no time does.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from steertui.errors import StoreError
from steertui.store.guard import connect, trust
from steertui.store.intake import check_content, check_values, tables
from steertui.store.merge_conflicts import (
    Conflict,
    keep_in_use,
    labels_in_use,
    later_states,
    set_aside,
)
from steertui.store.store import Store


@dataclass(frozen=True, slots=True)
class Merged:
    """What one input gave.

    Attributes:
        added: rows by table.
        present: rows that were there already.
        differing: what it says otherwise; the other stays in use.
    """

    path: Path
    added: dict[str, int] = field(default_factory=dict)
    present: int = 0
    differing: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge did.

    Attributes:
        inputs: in the order in which they were named.
        backup: the database as it was before; None where it is new, or nothing was added.
        newest: the experiment that a report takes by itself, before and after; "" for none.
    """

    inputs: tuple[Merged, ...]
    backup: Path | None
    newest: tuple[str, str]


def merge(out: Path, inputs: Sequence[Path]) -> Merge:
    """Add every input to `out`, which is made where it is not there; return what each gave.

    The inputs are not changed. Raises StoreError, with nothing merged, where one of them is no
    database of steertui's, or holds what steertui does not write.
    """
    for path in inputs:
        if path.resolve() == out.resolve():
            raise StoreError(f"{path}: is the database that is merged into; leave it out")
        if not path.is_file():
            raise StoreError(f"{path}: no such database; give one that a run has written")
    with _folder(out) as folder:
        copies = {path: folder / f"{i}.db" for i, path in enumerate(dict.fromkeys(inputs))}
        marks = {path: _checked(path, copy) for path, copy in copies.items()}
        backup = _backed_up(out)
        before = _newest(out, backup)
        done = {
            path: _merge(out, path, copies[path]) for path in sorted(copies, key=marks.__getitem__)
        }
    merged = tuple(done[path] for path in copies)
    if backup and not any(one.added or one.differing for one in merged):
        backup.unlink()
        backup = None
    return Merge(merged, backup, (before, _newest(out)))


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """Give a folder for copies, beside `out`: where that has room, they will have."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".steertui-merge-", dir=out.parent)
    except OSError as exc:
        raise StoreError(
            f"{out}: cannot be written ({exc.strerror}); check that its folder exists and can be"
        ) from None
    with folder as name:
        yield Path(name)


def _checked(path: Path, copy: Path) -> bytes:
    """Copy an input, check all of it, and bring the copy to today's schema: the input itself stays
    as it is. Return the hash of what it held."""
    _copy(path, copy)
    with copy.open("rb") as file:
        mark = file_digest(file, "sha256").digest()
    try:
        check_values(path, copy)
        Store(copy, must_exist=True).close()
        check_content(path, copy)
    except sqlite3.Error as exc:
        raise StoreError(f"{path}: cannot be read ({exc}); give a database of runs") from exc
    except StoreError as exc:
        raise StoreError(str(exc).replace(str(copy), str(path))) from None
    return mark


def _copy(path: Path, target: Path) -> None:
    """Copy a database page by page, which executes nothing of what stands in it."""
    try:
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as db,
        ):
            source.backup(db)
    except sqlite3.Error as exc:
        target.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be read ({exc}); give a database of runs") from exc


def _backed_up(out: Path) -> Path | None:
    """Copy the database beside itself, before it is changed; None where there is none yet."""
    if not out.exists():
        return None
    backup = out.with_name(f"{out.stem}.backup-{datetime.now(UTC):%Y%m%dT%H%M%S%f}{out.suffix}")
    _copy(out, backup)
    return backup


def _newest(out: Path, backup: Path | None = None) -> str:
    """Return the experiment planned last, "" for none; make the database where it is not there.
    The backup of one that cannot be opened is removed."""
    try:
        with Store(out) as store:
            known = store.experiments()
    except StoreError:
        if backup:
            backup.unlink()
        raise
    return known[-1].id if known else ""


def _merge(out: Path, path: Path, copy: Path) -> Merged:
    with closing(connect(out)) as db:
        trust(db)  # both were compared before
        db.row_factory = sqlite3.Row
        try:
            db.execute("ATTACH ? AS other", [str(copy)])
            with db:
                db.execute("BEGIN IMMEDIATE")
                return _merge_one(db, path)
        except sqlite3.Error as exc:
            raise StoreError(f"{path}: cannot be merged ({exc}); nothing of it was") from exc


def _merge_one(db: sqlite3.Connection, path: Path) -> Merged:
    differing = tuple(set_aside(db, path.name))
    in_use = labels_in_use(db)
    numbers: dict[str, dict[int, int]] = {}
    added: dict[str, int] = {}
    present = 0
    for table in tables(db):
        added[table] = _add(db, table, numbers)
        ((rows,),) = db.execute(f"SELECT count(*) FROM other.{table}").fetchall()
        present += rows - added[table]
    keep_in_use(db, in_use)
    later_states(db)
    return Merged(path, {table: n for table, n in added.items() if n}, present, differing)


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
