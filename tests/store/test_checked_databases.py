"""Content checks of received databases: every opening, once per state of the file."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from steertui.core.verdict import Label, Verdict
from steertui.errors import StoreError
from steertui.store import Store
from steertui.store.checked import LONG, is_checked, note_checked, takes_long_to_check
from tests.fixtures.database import enlarge, execute, write_small_database
from tests.fixtures.program import call

RELABELLED = "UPDATE generations SET answer = 'forged'"
SWAPPED = "UPDATE trials SET condition = (SELECT id FROM conditions WHERE id <> trials.condition)"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database that steertui wrote and that has not been read since."""
    write_small_database(tmp_path / "a.db")
    return tmp_path / "a.db"


@pytest.mark.parametrize(
    "command",
    [
        ("report", "a.db"),
        ("report", "a.db", "--list-experiments"),
        ("export", "a.db", "--inspect", "logs"),
        ("agree", "a.db"),
        ("judge", "a.db", "--judge", "local:demo"),
        ("label", "a.db", "--annotator", "ann"),
        ("--batch", "--demo", "--db", "a.db"),
        ("merge", "a.db", "b.db"),
        ("inspect", "a.db"),
    ],
)
@pytest.mark.parametrize("attack", [RELABELLED, SWAPPED])
def test_every_command_refuses_rows_whose_hash_does_not_hold(
    db: Path, command: tuple[str, ...], attack: str
) -> None:
    shutil.copy(db, db.with_name("b.db"))
    execute(db, attack)
    code, out, err = call(*command, cwd=db.parent)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    table = attack.split()[1]
    assert f"a.db: table {table}, row " in err
    assert "its content does not match its id; ask for the database as steertui wrote it" in err


def test_a_file_is_checked_once_and_again_after_every_change(db: Path) -> None:
    execute(db, "PRAGMA journal_mode=WAL")
    assert not is_checked(db)
    Store(db, must_exist=True).close()
    assert is_checked(db)
    before = db.stat()
    execute(db, "UPDATE generations SET answer = 'damaged' WHERE answer = 'honest!'")
    execute(db, RELABELLED)
    os.utime(db, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not is_checked(db)
    with pytest.raises(StoreError, match="table generations, row"):
        Store(db, must_exist=True)
    assert not is_checked(db)


def test_a_database_stays_checked_while_steertui_writes_it(db: Path) -> None:
    Store(db, must_exist=True).close()
    with Store(db) as store, store.reopen() as second:
        second.add_judge("human:bea", "human:bea", {"title": ""})
        key = second.column("SELECT key FROM trials")[0]
        store.add_verdict(key, Verdict("human:bea", Label.CONVERGENCE))
    assert is_checked(db)
    assert Store(db, must_exist=True).judges(store_experiment(db))


def store_experiment(db: Path) -> str:
    with Store(db, must_exist=True) as store:
        return store.resolve_experiment()


def test_a_copy_is_checked_although_its_original_was(db: Path) -> None:
    Store(db, must_exist=True).close()
    copy = db.with_name("copy.db")
    shutil.copy2(db, copy)
    execute(copy, RELABELLED)
    with pytest.raises(StoreError, match=r"copy\.db: table generations, row"):
        Store(copy, must_exist=True)


def test_a_long_check_is_known_before_it_begins(db: Path) -> None:
    """The screens show it, since nothing else happens meanwhile."""
    small = db.with_name("small.db")
    shutil.copy2(db, small)
    assert not takes_long_to_check(small)
    os.truncate(small, LONG + 4096)
    assert takes_long_to_check(small)
    note_checked(small)
    assert not takes_long_to_check(small)
    assert not takes_long_to_check(db.with_name("missing.db"))


@pytest.mark.parametrize(
    "command",
    [
        ("report", "a.db"),
        ("judges", "a.db"),
        ("export", "a.db", "--inspect", "logs"),
        ("inspect", "a.db"),
        ("bundle", "a.db", "-o", "b.zip"),
        ("merge", "new.db", "a.db"),
        ("--plan", "--db", "a.db"),
        ("--batch", "--demo", "--limit", "1", "--db", "a.db"),
    ],
)
def test_every_command_says_that_a_long_check_has_begun(db: Path, command: tuple[str, ...]) -> None:
    execute(db, "PRAGMA journal_mode=WAL")
    enlarge(db)
    _, _, err = call(*command, cwd=db.parent)
    assert "a.db: checking the content, 100 MB …\n" in err
    times = 2 if "bundle" in command else 1  # a bundle checks what it copies, too
    assert err.count("checking the content") == times


@contextmanager
def unfinished(db: Path, statement: str) -> Iterator[None]:
    """Keep the statement's change in the log beside the database."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute(statement)
        connection.commit()
        yield


def test_a_log_put_beside_a_checked_database_is_checked(db: Path) -> None:
    Store(db, must_exist=True).close()
    Store(db, must_exist=True).close()
    assert is_checked(db)
    other = db.with_name("other.db")
    shutil.copy(db, other)
    with unfinished(other, RELABELLED):
        shutil.copy(f"{other}-wal", f"{db}-wal")
    assert not is_checked(db)
    with pytest.raises(StoreError, match="table generations, row"):
        Store(db, must_exist=True)


def test_another_file_of_the_same_name_is_checked(db: Path) -> None:
    with Store(db, must_exist=True) as store:
        seen = store.identity
    other = db.with_name("other.db")
    shutil.copy(db, other)
    execute(other, RELABELLED)
    other.replace(db)
    with pytest.raises(StoreError, match="table generations, row"):
        Store(db, must_exist=True, checked=seen)


def test_a_folder_of_notes_that_cannot_be_written_costs_only_time(
    db: Path, state_home: Path
) -> None:
    shutil.rmtree(state_home)
    state_home.write_text("no folder", encoding="utf-8")
    for _ in range(2):
        Store(db, must_exist=True).close()
        assert not is_checked(db)
    execute(db, RELABELLED)
    with pytest.raises(StoreError, match="table generations, row"):
        Store(db, must_exist=True)


INDEX = "CREATE INDEX verdicts_in_short ON verdicts (trial, judge, label, failure)"


def test_an_index_that_differs_from_its_table_is_refused(db: Path) -> None:
    """A partial index under the name and text of a whole one hides labels from the report."""
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("DROP INDEX verdicts_in_short")
        connection.execute(f"{INDEX} WHERE judge LIKE 'human:%'")
        connection.execute("PRAGMA writable_schema=ON")
        sql = "UPDATE sqlite_master SET sql = ? WHERE name = 'verdicts_in_short'"
        connection.execute(sql, [INDEX])
    code, out, err = call("report", "a.db", cwd=db.parent)
    assert (code, out) == (1, "")
    assert "a.db: is damaged (" in err
    assert len(err.splitlines()) == 1
