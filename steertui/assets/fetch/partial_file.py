"""Partial files: the bytes of a download received so far, hashed as they are written."""

import errno
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Self

from steertui.errors import FetchError

BLOCK = 1 << 22
FULL = (errno.ENOSPC, errno.EDQUOT)


class PartialFile:
    """The received beginning of a file; a context manager.

    Raises FetchError on a disk error; the bytes written so far are kept for resuming.
    """

    def __init__(self, name: str, path: Path, size: int) -> None:
        self._name = name
        self._path = path
        self._size = size
        self.length = 0
        try:
            path.touch()
            self._file = path.open("r+b", buffering=0)
        except OSError as exc:
            raise self._disk_error(exc) from None
        self._hash = sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def digest(self) -> str:
        """sha256 of the bytes so far."""
        return self._hash.hexdigest()

    def hash_existing(self) -> Iterator[int]:
        """Hash the bytes of earlier attempts; yield the number of bytes hashed so far."""
        while block := self._file.read(BLOCK):
            self._hash.update(block)
            self.length += len(block)
            yield self.length
        if self.length > self._size:
            self.restart()

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        view = memoryview(chunk)
        try:
            while view:
                written = self._file.write(view) or 0
                self._hash.update(view[:written])
                self.length += written
                view = view[written:]
        except OSError as exc:
            raise self._disk_error(exc) from None

    def restart(self) -> None:
        """Discard all bytes."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = sha256()
        self.length = 0

    def flush_to_disk(self) -> None:
        """Flush the file to the disk (fsync)."""
        os.fsync(self._file.fileno())

    def discard(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _disk_error(self, exc: OSError) -> FetchError:
        if exc.errno in FULL:
            return FetchError(
                f"{self._name}: the disk of {self._path.parent} is full; the received bytes are "
                "kept, free some space and try again"
            )
        return FetchError(
            f"{self._name}: {self._path.parent} cannot be written ({exc.strerror}); check its "
            "permissions, or set HF_HOME to another folder"
        )
