"""Merge of databases: rows are added, and a trial that is in several of them is kept once.

Tables and columns are read from the schema. Rows of a table with a key of its own are added if the
key is new. Rows that are only numbered (runs, answers, failures, verdicts, replies) are compared by
their content and get new numbers. Each input is one transaction: an interrupted merge can be run
again, and a repeated merge adds nothing.

Inputs come from other users, so each is checked as a whole (`guard`, `intake`) before anything is
written. Where databases differ, the rows of the receiving one stay in use (`merge_conflicts`).
Inputs are merged in the order of their content hashes, so that neither the order on the command
line nor any time decides between two of them.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

from steertui.errors import StoreError, shorten
from steertui.paths import is_file
from steertui.store.checked import file_id, log_check, note_checked
from steertui.store.connection import readable_place
from steertui.store.guard import SQLITE_ERRORS, connect, create_private, trust
from steertui.store.intake import check_content, check_values, tables
from steertui.store.merge_conflicts import (
    Conflict,
    keep_in_use,
    labels_in_use,
    set_aside,
    update_batches,
)
from steertui.store.read_only import is_read_only, read_uri
from steertui.store.store import Store


@dataclass(frozen=True, slots=True)
class MergedInput:
    """Result of merging one input.

    Attributes:
        path: the input.
        added: number of added rows by table.
        present: number of rows that were there already.
        conflicts: differences; the rows of the receiving database stay in use.
    """

    path: Path
    added: dict[str, int] = field(default_factory=dict)
    present: int = 0
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class MergeResult:
    """Result of a merge.

    Attributes:
        inputs: results in the order in which the inputs were given.
        backup: copy of the database before the merge; None if it is new or nothing was added.
        newest: newest experiment before and after the merge, which a report shows; "" for none.
    """

    inputs: tuple[MergedInput, ...]
    backup: Path | None
    newest: tuple[str, str]


def merge(out: Path, inputs: Sequence[Path]) -> MergeResult:
    """Add every input to `out`, which is created if it does not exist.

    The inputs are not changed. Raises StoreError, with nothing merged, if an input is not a
    database of steertui or has content that steertui does not write.
    """
    for path in inputs:
        if path.resolve() == out.resolve():
            raise StoreError(f"{path}: is the database that is merged into; leave it out")
        if not is_file(path):
            raise StoreError(f"{path}: no such database; give one that a run has written")
    if is_read_only(out):
        raise StoreError(f"{out}: cannot be written; check its permissions and its folder's")
    with _copy_folder(out) as folder:
        copies = {path: folder / f"{i}.db" for i, path in enumerate(dict.fromkeys(inputs))}
        digests = {path: check_copy(path, copy) for path, copy in copies.items()}
        backup = _back_up(out)
        newest_before = _newest_experiment(out, backup)
        results = {
            path: _merge(out, path, copies[path])
            for path in sorted(copies, key=digests.__getitem__)
        }
    note_checked(out)
    merged = tuple(results[path] for path in copies)
    if backup and not any(result.added or result.conflicts for result in merged):
        backup.unlink()
        backup = None
    return MergeResult(merged, backup, (newest_before, _newest_experiment(out)))


@contextmanager
def _copy_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder for copies on the disk of `out`, which needs the space as well."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".steertui-merge-", dir=out.parent)
    except OSError as exc:
        raise StoreError(
            f"{out}: cannot be written ({exc.strerror}); check that its folder exists and is "
            "writable"
        ) from None
    with folder as name:
        yield Path(name)


def check_copy(path: Path, copy: Path) -> bytes:
    """Copy an input, check it and migrate the copy; return the hash of the unmigrated copy."""
    if is_file(path):  # else the copy says what is wrong
        log_check(path)
    _copy(path, copy)
    with copy.open("rb") as file:
        digest = file_digest(file, "sha256").digest()
    try:
        check_values(path, copy)
        Store(copy, must_exist=True, checked=file_id(copy)).close()
        check_content(path, copy)
    except SQLITE_ERRORS as exc:
        raise _unreadable(path, exc) from exc
    except StoreError as exc:
        raise StoreError(str(exc).replace(str(copy), str(path))) from None
    return digest


def _copy(path: Path, target: Path) -> None:
    """Copy a database page by page, which executes nothing that its schema defines."""
    create_private(target)
    try:
        with ExitStack() as stack:
            place = readable_place(path, stack) if is_read_only(path) else path
            source = stack.enter_context(closing(sqlite3.connect(read_uri(place), uri=True)))
            source.backup(stack.enter_context(closing(sqlite3.connect(target))))
    except SQLITE_ERRORS as exc:
        target.unlink(missing_ok=True)
        raise _unreadable(path, exc) from exc


def _unreadable(path: Path, exc: Exception) -> StoreError:
    return StoreError(f"{path}: cannot be read ({shorten(str(exc))}); give a database of runs")


def _back_up(out: Path) -> Path | None:
    """Copy the database into its folder before it is changed; return None if it does not exist."""
    if not out.exists():
        return None
    backup = out.with_name(f"{out.stem}.backup-{datetime.now(UTC):%Y%m%dT%H%M%S%f}{out.suffix}")
    _copy(out, backup)
    return backup


def _newest_experiment(out: Path, backup: Path | None = None) -> str:
    """Return the experiment planned last, "" for none; create the database if it does not exist.

    If the database cannot be opened, its backup is removed.
    """
    try:
        with Store(out) as store:
            experiments = store.experiments()
    except StoreError:
        if backup:
            backup.unlink()
        raise
    return experiments[-1].id if experiments else ""


def _merge(out: Path, path: Path, copy: Path) -> MergedInput:
    with closing(connect(out)) as db:
        trust(db)  # Both schemas were checked.
        db.row_factory = sqlite3.Row
        try:
            db.execute("ATTACH ? AS other", [str(copy)])
            with db:
                db.execute("BEGIN IMMEDIATE")
                return _merge_attached(db, path)
        except SQLITE_ERRORS as exc:
            reason = shorten(str(exc))
            raise StoreError(
                f"{path}: cannot be merged ({reason}); nothing of it was added"
            ) from exc


def _merge_attached(db: sqlite3.Connection, path: Path) -> MergedInput:
    conflicts = tuple(set_aside(db, path.name))
    in_use = labels_in_use(db)
    names = tables(db)
    numbered = [name for name in names if _is_numbered(db, name)]
    added: dict[str, int] = {}
    present = 0
    for name in names:
        added[name] = _add_numbered(db, name, numbered) if name in numbered else _add(db, name)
        ((rows,),) = db.execute(f"SELECT count(*) FROM other.{name}").fetchall()
        present += rows - added[name]
    keep_in_use(db, in_use)
    update_batches(db)
    added = {name: count for name, count in added.items() if count}
    return MergedInput(path, added, present, conflicts)


def _is_numbered(db: sqlite3.Connection, table: str) -> bool:
    """Whether a table's key is a number that has a meaning in its own database only."""
    keys = [row for row in db.execute(f"PRAGMA main.table_info({table})") if row["pk"]]
    return [(key["name"], key["type"]) for key in keys] == [("id", "INTEGER")]


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row["name"] for row in db.execute(f"PRAGMA main.table_info({table})")]


def _add(db: sqlite3.Connection, table: str) -> int:
    """Add the rows with a new key; return their number."""
    columns = ", ".join(_columns(db, table))
    sql = f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM other.{table}"
    return db.execute(sql).rowcount


def _add_numbered(db: sqlite3.Connection, table: str, numbered: Sequence[str]) -> int:
    """Add the rows with new content; return their number.

    The temporary table `TABLE_numbers` then maps a row's number in the other database (`old`) to
    its number in this one (`new`), for the tables that refer to it.
    """
    values = {name: f"o.{name}" for name in _columns(db, table) if name != "id"}
    same_in_other = " AND ".join(f"x.{name} IS {value}" for name, value in values.items())
    references = {
        row["from"]: row["table"]
        for row in db.execute(f"PRAGMA main.foreign_key_list({table})")
        if row["table"] in numbered
    }
    for name, parent in references.items():
        values[name] = f"(SELECT new FROM temp.{parent}_numbers WHERE old = o.{name})"
    same = " AND ".join(f"x.{name} IS {value}" for name, value in values.items())
    # The new rows are found first: an insertion that reads its own table copies every text twice.
    db.execute(f"""CREATE TEMP TABLE new_rows AS SELECT o.id FROM other.{table} AS o
        WHERE NOT EXISTS (SELECT 1 FROM main.{table} AS x WHERE {same})
        AND NOT EXISTS (SELECT 1 FROM other.{table} AS x WHERE x.id < o.id AND {same_in_other})""")
    count = db.execute(f"""INSERT OR IGNORE INTO main.{table} ({", ".join(values)})
        SELECT {", ".join(values.values())}
        FROM temp.new_rows JOIN other.{table} AS o USING (id) ORDER BY o.id""").rowcount
    db.execute("DROP TABLE temp.new_rows")
    if _is_referenced(db, table, numbered):
        db.execute(f"""CREATE TEMP TABLE {table}_numbers AS
            SELECT o.id AS old, (SELECT min(x.id) FROM main.{table} AS x WHERE {same}) AS new
            FROM other.{table} AS o""")
    return count


def _is_referenced(db: sqlite3.Connection, table: str, numbered: Sequence[str]) -> bool:
    """Whether another numbered table refers to this one."""
    return any(
        row["table"] == table
        for name in numbered
        for row in db.execute(f"PRAGMA main.foreign_key_list({name})")
    )
