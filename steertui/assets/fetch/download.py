"""Downloads: files to fetch, progress events, required disk space."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steertui.errors import FetchError

MIN_FREE = 1 << 26
"""Bytes that stay free on the disk after a download."""


def partial_path(folder: Path, sha256: str) -> Path:
    """Return the path of the partial file of a download into a folder."""
    return folder / f"{sha256}.steertui.incomplete"


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download.

    Attributes:
        name: name in messages.
        url: address of the file.
        size: bytes.
        sha256: of the whole file.
        target: path of the complete file.
        lock: path of the lock file that the downloading process holds.
        headers: request headers; credentials are not sent to another host.
        access: how to get access if the file is gated.
    """

    name: str
    url: str
    size: int
    sha256: str
    target: Path
    lock: Path
    headers: Mapping[str, str] = field(default_factory=dict)
    access: str = ""

    @property
    def partial(self) -> Path:
        """Path of the partial file."""
        return partial_path(self.target.parent, self.sha256)

    @property
    def missing(self) -> int:
        """Bytes still to download."""
        received = self.partial.stat().st_size if self.partial.exists() else 0
        return 0 if self.target.exists() else max(0, self.size - received)


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """Number of bytes of a file received so far, earlier attempts included."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RetryWait:
    """The download waits for this many more seconds, for this reason."""

    name: str
    reason: str
    seconds: float


TransferEvent = BytesReceived | RetryWait


def require_disk_space(files: Sequence[Download]) -> None:
    """Raise FetchError if a disk has too little space for the missing bytes of the files."""
    needs: dict[int, tuple[Path, int]] = {}
    for file in files:
        folder = next(p for p in file.target.parents if p.exists())
        disk = folder.stat().st_dev
        needs[disk] = (folder, needs.get(disk, (folder, 0))[1] + file.missing)
    for folder, need in needs.values():
        free = shutil.disk_usage(folder).free
        if need and need + MIN_FREE > free:
            raise FetchError(
                f"{folder}: {need / 1e9:.2f} GB to download and {free / 1e9:.2f} GB free; free "
                "some space, or set HF_HOME to another disk"
            )
