"""Databases that this user cannot change: in a read-only folder, on a read-only medium, or with a
mode that allows no writing.

SQLite in WAL mode writes files beside the database even to read it. Where it cannot, and no log
holds further rows, the file is opened as immutable: SQLite then takes no lock.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from steertui.errors import StoreError
from steertui.paths import is_file
from steertui.store.checked import LOGS, NOTES

TRIES = 5
"""Attempts to copy a database that another process is writing."""


def is_read_only(path: Path) -> bool:
    """Whether a database exists that this user cannot change."""
    real = Path(os.path.realpath(path))
    return is_file(real) and not (os.access(real, os.W_OK) and os.access(real.parent, os.W_OK))


def read_uri(path: Path) -> str:
    """Return SQLite's URI of a database that is only read.

    A connection that may write removes the empty log that it has created; one that may not leaves
    it there. So the database has write access, but is not written, unless it has a log already.
    """
    uri = path.resolve().as_uri()
    if is_read_only(path):
        return f"{uri}?mode=ro&immutable=1"
    return f"{uri}?mode={'ro' if has_log(path) else 'rw'}"


def has_log(path: Path) -> bool:
    """Whether a file beside the database may hold a part of its content."""
    return len([*_parts(path)]) > 1


def newest_change(path: Path) -> float:
    """Return when the database was last changed, in seconds since 1970; 0 if it is missing."""
    return max((status.st_mtime for _, status in _parts(path)), default=0.0)


def _parts(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    real = os.path.realpath(path)
    for ending in ("", *LOGS):
        file = Path(real + ending)
        try:
            status = file.stat()
        except FileNotFoundError:  # the last connection removes the log when it closes
            continue
        if status.st_size or not ending:
            yield file, status


def copy_with_logs(path: Path, target: Path) -> None:
    """Copy a database and its logs; SQLite adds the rows of a log when it opens the copy.

    Raises StoreError if one of the files cannot be read, or changes with every attempt.
    """
    for _ in range(TRIES):
        before = NOTES.state(path)
        for file, _ in _parts(path):
            ending = file.name.removeprefix(Path(os.path.realpath(path)).name)
            try:
                shutil.copyfile(file, f"{target}{ending}")
            except FileNotFoundError:  # removed meanwhile, so the state has changed
                break
            except OSError as exc:
                raise StoreError(
                    f"{file}: cannot be read ({exc.strerror}), and may hold a part of the "
                    "database; ask its owner to close the database, or for a copy of it"
                ) from None
        if NOTES.state(path) == before:
            return
    raise StoreError(f"{path}: another program is writing to it; wait for it")
