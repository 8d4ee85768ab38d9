"""A Lease: one process at a time generates into a database; whoever has none may read along."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from steertui.errors import StoreError


class BusyError(StoreError):
    """Another process runs on the database; this one may read along."""


@contextmanager
def run_lock(db: Path) -> Iterator[None]:
    """Hold the right to run on a database; it ends with the process, however that ends.

    Raises BusyError where another process holds it.
    """
    lock = FileLock(_place(db))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise BusyError(
            f"{db}: another steertui is running on it; wait for it, or read along in `steertui`"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_locked(db: Path) -> bool:
    """Whether a process is running on the database now."""
    try:
        with run_lock(db):
            return False
    except BusyError:
        return True


def _place(db: Path) -> Path:
    name = sha256(str(db.resolve()).encode()).hexdigest()[:24]
    try:
        folder = user_state_path("steertui") / "running"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    return folder / f"{name}.lock"
