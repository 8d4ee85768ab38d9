"""Databases, logs and temporary folders belong to their user alone, whatever the umask."""

import os
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from steertui.engine import process
from steertui.errors import StoreError
from steertui.paths import private_temporary_folder
from steertui.store import Store, run_lock
from steertui.store.merge import merge
from tests.store.test_merge_conflicts import plan

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """No bit of a mode is removed by the umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database_its_log_and_its_backup_are_private(tmp_path: Path) -> None:
    for name in ("a.db", "b.db"):
        with Store(tmp_path / name) as store:
            if name == "b.db":
                plan(store)
            assert mode(tmp_path / f"{name}-wal") == 0o600
            assert mode(tmp_path / f"{name}-shm") == 0o600
        assert mode(tmp_path / name) == 0o600
    result = merge(tmp_path / "a.db", [tmp_path / "b.db"])
    assert result.backup is not None
    assert mode(result.backup) == 0o600
    merge(tmp_path / "c.db", [tmp_path / "b.db"])
    assert mode(tmp_path / "c.db") == 0o600


def test_an_existing_database_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    Store(path).close()
    path.chmod(0o664)
    Store(path).close()
    assert mode(path) == 0o664


def test_a_database_through_a_dangling_link_is_still_created(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    Store(tmp_path / "link.db").close()
    with closing(sqlite3.connect(tmp_path / "target.db")) as db:
        assert db.execute("SELECT count(*) FROM trials").fetchone() == (0,)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the system's temporary folder; the other folders cannot be created."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "below"))
    return folder


def test_logs_and_locks_are_in_a_private_folder_of_the_temporary_one(
    temporary: Path, tmp_path: Path
) -> None:
    folder = temporary / f"steertui-{os.getuid()}"
    assert process.log_folder() == folder
    with run_lock.run_lock(tmp_path / "a.db", "an id"):
        assert {file.suffix for file in folder.iterdir()} == {".lock", ".experiment"}
    assert mode(folder) == 0o700


@pytest.mark.parametrize("kind", ["link", "file", "open"])
def test_a_folder_that_others_can_change_is_refused(
    temporary: Path, tmp_path: Path, kind: str
) -> None:
    folder = temporary / f"steertui-{os.getuid()}"
    if kind == "link":
        folder.symlink_to(tmp_path)
    elif kind == "file":
        folder.touch(mode=0o600)
    else:
        folder.mkdir(mode=0o777)
    for use in (private_temporary_folder, process.log_folder):
        with pytest.raises(StoreError, match="can be changed by other users"):
            use()
