"""A Remote: a file that is to be fetched, and what is told while it comes."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steertui.errors import FetchError

MIN_FREE = 1 << 26
"""Bytes that stay free beside what is fetched: the disk is not ours alone."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is to be fetched.

    Attributes:
        name: for people.
        url: where it is.
        size: bytes.
        sha256: of the whole file.
        target: where it shall lie.
        lock: a file that whoever fetches it holds.
        headers: for the request; what authorises is not sent to another host.
    """

    name: str
    url: str
    size: int
    sha256: str
    target: Path
    lock: Path
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def partial(self) -> Path:
        """Where its beginning lies until it is whole."""
        return self.target.with_name(f"{self.sha256}.steertui.incomplete")

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        there = self.partial.stat().st_size if self.partial.exists() else 0
        return 0 if self.target.exists() else max(0, self.size - there)


@dataclass(frozen=True, slots=True)
class BytesReceived:
    """So many of a file's bytes are here, those of an earlier attempt included."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RetryWait:
    """Nothing moves for so many seconds more, and why."""

    name: str
    reason: str
    seconds: float


TransferEvent = BytesReceived | RetryWait


def require_disk_space(files: Sequence[Download]) -> None:
    """Raise FetchError where a disk has no room for what of the files is to come to it."""
    needs: dict[int, tuple[Path, int]] = {}
    for file in files:
        folder = next(p for p in file.target.parents if p.exists())
        disk = folder.stat().st_dev
        needs[disk] = (folder, needs.get(disk, (folder, 0))[1] + file.missing)
    for folder, need in needs.values():
        free = shutil.disk_usage(folder).free
        if need and need + MIN_FREE > free:
            raise FetchError(
                f"{folder}: {need / 1e9:.2f} GB are to be fetched and {free / 1e9:.2f} GB are free "
                "there; make room, or choose another disk with HF_HOME"
            )
