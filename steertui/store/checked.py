"""Databases whose content this machine has checked, so that an unchanged file is checked once.

The notes are in the user's state folder: neither the database nor its sender can write them. A
database that steertui writes stays checked, unless the process is killed.
"""

from pathlib import Path

from steertui.file_notes import FileNotes
from steertui.paths import is_file, user_state

CHECKS = "1"
"""Version of the checks in `intake`; increment it with a further check, so that all databases are
checked again."""

LOGS = ("-wal", "-journal")
"""Endings of the files beside a database that may hold a part of its content."""

NOTES = FileNotes(lambda: user_state("checked"), "checks", companions=LOGS)

LONG = 100_000_000
"""Bytes of a database whose check takes seconds; 100 MB take about one second."""

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


def note_checked(path: Path, state: list[int] | None = None) -> None:
    """Note that the content is as steertui writes it, now or in an earlier `state`."""
    if state is not None or not is_checked(path):
        NOTES.write(path, CHECKS, state)
