"""Notes on files, each valid until the file changes: one JSON file per path in a user's folder."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from steertui.output_files import whole


@dataclass(frozen=True, slots=True)
class FileNotes:
    """Notes of one kind.

    A note is valid as long as size, modification time, change time and inode of the file are the
    same, and those of its companions. A program that changes a byte and sets the modification time
    back cannot set the change time back.

    Attributes:
        folder: function that returns the folder of the notes.
        key: name of the note in its JSON file.
        companions: endings of files beside the file that belong to its content. A companion that
            is empty or missing is no part of it.
    """

    folder: Callable[[], Path]
    key: str
    companions: tuple[str, ...] = ()

    def read(self, path: Path) -> str:
        """Return the note, "" if there is none or the file changed."""
        try:
            entry = json.loads(self._entry(path).read_text(encoding="utf-8"))
            return str(entry[self.key]) if entry["file"] == self.state(path) else ""
        except (OSError, ValueError, LookupError, TypeError):
            return ""

    def write(self, path: Path, note: str, state: list[int] | None = None) -> None:
        """Store a note on the file as it is, or as it was in `state`; do nothing if the folder
        cannot be written."""
        try:
            found = self.state(path) if state is None else state
            text = json.dumps({"path": str(path), "file": found, self.key: note})
            entry = self._entry(path)
            entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with whole(entry) as file:
                file.write(text.encode())
        except OSError:
            return

    def forget(self, path: Path) -> None:
        """Remove the note; do nothing if the folder cannot be written."""
        with suppress(OSError):
            self._entry(path).unlink(missing_ok=True)

    def state(self, path: Path) -> list[int]:
        """Return what identifies the present content. Raises OSError if there is no such file."""
        state = _state(path)
        real = os.path.realpath(path)
        for ending in self.companions:
            with suppress(FileNotFoundError):  # SQLite removes its log with the last connection
                found = _state(Path(real + ending))
                state += found if found[0] else []
        return state

    def _entry(self, path: Path) -> Path:
        real = os.path.realpath(path).encode(errors="surrogateescape")
        return self.folder() / f"{sha256(real).hexdigest()[:32]}.json"


def _state(path: Path) -> list[int]:
    s = path.stat()
    return [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino]
