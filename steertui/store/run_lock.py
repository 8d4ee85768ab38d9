"""Run lock: only one process at a time runs an experiment on a database; others may read it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from steertui.errors import StoreError, WithRemedy
from steertui.paths import private_temporary_folder

PATIENCE = 0.3
"""Seconds to wait for the lock, since `is_locked` of another process holds it for a moment."""


class BusyError(StoreError):
    """Another process runs an experiment on the database."""


@contextmanager
def run_lock(db: Path, experiment: str = "") -> Iterator[Callable[[str], None]]:
    """Hold the lock of a database; the operating system releases it if the process dies.

    `experiment` is the id of the experiment or control set that is run or judged; other processes
    read it (`experiment_at_work`). Whoever plans a run does so under the lock, since a run that is
    refused must store no plan, and gives the id to the function that is yielded. Raises BusyError
    if another process holds the lock.
    """
    lock = FileLock(_lock_file(db))
    try:
        lock.acquire(timeout=PATIENCE, poll_interval=PATIENCE / 10)
    except Timeout:
        raise BusyError(
            WithRemedy(
                f"{db}: another steertui is running on it",
                "wait for it, or watch it in `steertui`",
            )
        ) from None

    def set_experiment(id: str) -> None:
        _experiment_file(db).write_text(id, encoding="utf-8")

    try:
        set_experiment(experiment)
        yield set_experiment
    finally:
        lock.release()


def experiment_at_work(db: Path) -> str | None:
    """Return the id of the experiment or control set that a process runs or judges now.

    None if no process works on the database, "" if the one that does has not stored the id yet.
    """
    if not is_locked(db):
        return None
    try:
        return _experiment_file(db).read_text(encoding="utf-8")
    except OSError:
        return ""


def is_locked(db: Path) -> bool:
    """Whether a process runs an experiment on the database now."""
    lock = FileLock(_lock_file(db))
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True


def _experiment_file(db: Path) -> Path:
    return _lock_file(db).with_suffix(".experiment")


def _lock_file(db: Path) -> Path:
    name = sha256(str(db.resolve()).encode()).hexdigest()[:24]
    try:
        folder = user_state_path("steertui") / "running"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = private_temporary_folder()
    return folder / f"{name}.lock"
