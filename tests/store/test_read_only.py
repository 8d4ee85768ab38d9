"""Databases that their reader cannot change: by mode, in a read-only folder, with a log."""

import contextlib
import lzma
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from steertui.errors import StoreError
from steertui.store.merge import merge
from steertui.store.read_only import copy_with_logs, has_log
from tests.fixtures import ordinary_user, program
from tests.fixtures.database import write_small_database

READERS = [
    ("report", "{db}"),
    ("report", "{db}", "--list-experiments"),
    ("report", "{db}", "--format", "json", "-o", "out.json"),
    ("report", "{db}", "--format", "html", "-o", "out.html"),
    ("export", "{db}", "--inspect", "logs"),
    ("agree", "{db}"),
    ("inspect", "{db}"),
    ("merge", "new.db", "{db}"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a small database; `close_folder` takes all rights to write away."""
    folder = tmp_path / "shared"
    folder.mkdir()
    write_small_database(folder / "a.db")
    yield folder
    folder.chmod(0o755)


def close_folder(folder: Path) -> Path:
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    return folder / "a.db"


def with_log(folder: Path) -> Path:
    """Leave a row in a write-ahead log, as a program that was killed does; without its -shm."""
    path = folder / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("UPDATE models SET name = 'renamed-in-log'")
        db.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", folder / f"copy.db{ending}")
    for ending in ("", "-wal"):
        (folder / f"copy.db{ending}").rename(f"{path}{ending}")
    assert (folder / "a.db-wal").stat().st_size > 0
    return path


def read(options: tuple[str, ...], db: Path, cwd: Path) -> str:
    result = ordinary_user.call(*(o.format(db=db) for o in options), cwd=cwd)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout


@pytest.mark.parametrize("options", READERS, ids=" ".join)
def test_commands_that_only_read_read_a_read_only_database(
    folder: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    db = close_folder(folder)
    before = db.read_bytes()
    read(options, db, tmp_path)
    assert db.read_bytes() == before
    assert [file.name for file in folder.iterdir()] == ["a.db"]


@pytest.mark.parametrize("options", [READERS[0], READERS[6], READERS[7]], ids=" ".join)
def test_rows_in_a_log_are_read_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with_log(folder)
    db = close_folder(folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    out = read(options, db, tmp_path)
    if options[0] == "report":
        assert "renamed-in-log" in out
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert not [file.name for file in temporary.iterdir() if "copy" in file.name]
    assert not [*temporary.glob("steertui-*/copy*")]


def test_a_log_that_vanishes_meanwhile_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"database")
    log = tmp_path / "a.db-wal"
    code = (
        f"import pathlib\np = pathlib.Path({str(log)!r})\nwhile 1: p.write_bytes(b'x'); p.unlink()"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert has_log(path) in (True, False)
            copy_with_logs_or_refuse(path, tmp_path / "copy.db")
        finally:
            process.kill()


def copy_with_logs_or_refuse(path: Path, target: Path) -> None:
    with contextlib.suppress(StoreError):  # it changes with every attempt
        copy_with_logs(path, target)


def test_a_log_that_cannot_be_read_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    with_log(folder)
    db = close_folder(folder)
    (folder / "a.db-wal").chmod(0)
    result = ordinary_user.call("report", str(db), cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        f"steertui: {db}-wal: cannot be read (Permission denied), and may hold a part of the "
        "database; ask its owner to close the database, or for a copy of it\n"
    )


def test_an_unreadable_database_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    db = close_folder(folder)
    db.chmod(0)
    result = ordinary_user.call("report", str(db), cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        f"steertui: {db}: cannot be read; check its permissions and its folder's\n"
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--batch", "--demo", "--limit", "1", "--db", "{db}"),
        ("judge", "{db}", "--judge", "local:demo"),
        ("merge", "{db}", "{db}"),
    ],
    ids=" ".join,
)
def test_commands_that_write_refuse_a_read_only_database(
    folder: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    other = tmp_path / "other.db"
    write_small_database(other)
    db = close_folder(folder)
    before = db.read_bytes()
    names = [o.format(db=db) for o in options]
    if options[0] == "merge":
        names[-1] = str(other)
    result = ordinary_user.call(*names, cwd=tmp_path)
    assert result.returncode == 1
    assert f"{db}: cannot be written" in result.stderr
    assert db.read_bytes() == before


def test_an_earlier_schema_is_read_from_a_migrated_copy(tmp_path: Path, folder: Path) -> None:
    data = Path(__file__).parents[1] / "data" / "before-rename.db.xz"
    (folder / "a.db").write_bytes(lzma.decompress(data.read_bytes()))
    db = close_folder(folder)
    before = db.read_bytes()
    read(READERS[1], db, tmp_path)
    assert db.read_bytes() == before
    assert [file.name for file in folder.iterdir()] == ["a.db"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a read-only medium")
@pytest.mark.parametrize("options", READERS[:1] + READERS[6:], ids=" ".join)
def test_a_database_on_a_read_only_medium_is_read(
    folder: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    mount = ("mount", "-t", "tmpfs", "tmpfs", str(folder))
    db = folder / "a.db"
    raw = db.read_bytes()
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this container may not mount")
    try:
        db.write_bytes(raw)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        code, _, err = program.call(*(o.format(db=db) for o in options), cwd=tmp_path)
        assert code == 0, err
        assert db.read_bytes() == raw
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_database_that_is_written_meanwhile_gives_no_result(
    folder: Path, tmp_path: Path
) -> None:
    db = close_folder(folder)
    script = (
        "import os, sys; from pathlib import Path; from steertui.store import Store\n"
        "with Store(Path(sys.argv[1])) as store: store.experiments(); os.utime(sys.argv[1])"
    )
    result = subprocess.run(
        ordinary_user.ordinary([sys.executable, "-c", script, str(db)]),
        env=os.environ | {"PYTHONPATH": str(ordinary_user.ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert f"{db}: was written while it was read; try again" in result.stderr


def test_a_merge_into_a_read_only_database_leaves_no_backup(folder: Path, tmp_path: Path) -> None:
    (folder / "a.db").chmod(0o444)
    write_small_database(tmp_path / "other.db")
    result = ordinary_user.call("merge", "a.db", str(tmp_path / "other.db"), cwd=folder)
    assert result.returncode == 1
    assert result.stderr.startswith("steertui: a.db: cannot be written")
    assert [file.name for file in folder.iterdir()] == ["a.db"]


def test_a_merge_leaves_no_file_beside_its_inputs(folder: Path, tmp_path: Path) -> None:
    before = (folder / "a.db").read_bytes()
    merge(tmp_path / "new.db", [folder / "a.db"])
    assert [file.name for file in folder.iterdir()] == ["a.db"]
    assert (folder / "a.db").read_bytes() == before
