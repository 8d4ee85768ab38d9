"""A Part: the beginning of a file that is being fetched, on disk, hashed as it grows."""

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
    """A file that grows at its end; use it in a `with`.

    Raises FetchError where the disk refuses; what is there stays, to be gone on with.
    """

    def __init__(self, name: str, path: Path, size: int) -> None:
        self._name, self._path, self._size = name, path, size
        self.length = 0
        try:
            path.touch()
            self._file = path.open("r+b", buffering=0)
        except OSError as exc:
            raise self._refused(exc) from None
        self._hash = sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def digest(self) -> str:
        """The sha256 of what is there."""
        return self._hash.hexdigest()

    def recall(self) -> Iterator[int]:
        """Hash what is there from before; yield the bytes hashed so far."""
        while block := self._file.read(BLOCK):
            self._hash.update(block)
            self.length += len(block)
            yield self.length
        if self.length > self._size:
            self.restart()

    def write(self, chunk: bytes) -> None:
        """Add a chunk."""
        view = memoryview(chunk)
        try:
            while view:
                written = self._file.write(view) or 0
                self._hash.update(view[:written])
                self.length += written
                view = view[written:]
        except OSError as exc:
            raise self._refused(exc) from None

    def restart(self) -> None:
        """Forget what is there."""
        self._file.seek(0)
        self._file.truncate()
        self._hash, self.length = sha256(), 0

    def settle(self) -> None:
        """See to it that what is there is on the disk."""
        os.fsync(self._file.fileno())

    def discard(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _refused(self, exc: OSError) -> FetchError:
        if exc.errno in FULL:
            return FetchError(
                f"{self._name}: the disk with {self._path.parent} is full; what came is kept, make "
                "room and run the same again"
            )
        return FetchError(
            f"{self._name}: {self._path.parent} cannot be written ({exc.strerror}); check its "
            "permissions, or choose another place with HF_HOME"
        )
