"""Databases whose content this machine has checked, so that an unchanged file is checked once.

The notes are in the user's state folder: neither the database nor its sender can write them. A
database that steertui writes stays checked, unless the process is killed.
"""

import logging
from pathlib import Path

from steertui.file_notes import FileNotes
from steertui.paths import is_file, user_state
from steertui.units import size_text

CHECKS = "1"
"""Version of the checks in `intake`; increment it with a further check, so that all databases are
checked again."""

LOGS = ("-wal", "-journal")
"""Endings of the files beside a database that may hold a part of its content."""

NOTES = FileNotes(lambda: user_state("checked"), "checks", companions=LOGS)

LONG = 100_000_000
"""Bytes of a database whose check takes seconds; 100 MB take about one second."""

LOG = logging.getLogger(__name__)
"""Logger of checks that take seconds; the command line prints them on standard error."""

FileId = tuple[int, int]
"""Device and inode of a file."""


def file_id(path: Path) -> FileId:
    """Return the device and inode of a file."""
    found = path.stat()
    return found.st_dev, found.st_ino


def is_checked(path: Path) -> bool:
    """Whether the file's content has been checked as it is now."""
    return NOTES.read(path) == CHECKS


def takes_long_to_check(path: Path) -> bool:
    """Whether the file's content has yet to be checked, and this takes seconds."""
    return is_file(path) and path.stat().st_size > LONG and not is_checked(path)


def log_check(path: Path) -> None:
    """Log that the file's content is checked from here on, if this takes seconds."""
    size = path.stat().st_size
    if size > LONG:
        LOG.info(long_check_text(path, size))


def long_check_text(path: Path, size: int) -> str:
    """Return the message that a check of a file of `size` bytes has begun."""
    return f"{path}: checking the content, {size_text(size)} …"


def note_checked(path: Path, state: list[int] | None = None) -> None:
    """Note that the content is as steertui writes it, now or in an earlier `state`."""
    if state is not None or not is_checked(path):
        NOTES.write(path, CHECKS, state)
