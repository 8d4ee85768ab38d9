"""File of the hidden states of a training, so that it can be stopped and resumed.

The file has one record per pair, in order: float32 of shape (2, layers, width), the positive side
first. A record that was cut off by a crash is read again. Files are in the user's cache; the newest
`KEPT` remain, so that another method on the same pairs takes no new pass over the model.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from steertui.errors import OutputError
from steertui.output_files import cache_unwritable
from steertui.paths import user_cache

KEPT = 4


class StatesFile:
    """Hidden states of pairs, appended one after another and read by layer.

    Attributes:
        count: number of complete records.
    """

    def __init__(self, file: BinaryIO, path: Path, layers: int, width: int) -> None:
        self._file = file
        self._path = path
        self._shape = (2, layers, width)
        self._size = 8 * layers * width
        self.count = path.stat().st_size // self._size
        file.truncate(self.count * self._size)
        file.seek(0, 2)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self._shape[1]

    @property
    def width(self) -> int:
        """Size of a hidden state."""
        return self._shape[2]

    def append(self, positive: NDArray[np.float32], negative: NDArray[np.float32]) -> None:
        """Append the record of one pair; arrays of shape (layers, width)."""
        self._file.write(np.stack([positive, negative]).astype("<f4").tobytes())
        self._file.flush()
        self.count += 1

    def layer(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the positive and the negative states after a block, shape (pairs, width)."""
        shape = (self.count, *self._shape)
        records = np.memmap(self._path, "<f4", "r", shape=shape)
        sides = records[:, :, number].astype(np.float64)
        return sides[:, 0], sides[:, 1]


@contextmanager
def open_states(key: str, layers: int, width: int) -> Iterator[StatesFile]:
    """Open the file of a training by a key that covers all that determines the states.

    Raises OutputError if another process has it open, or if it cannot be written.
    """
    folder = user_cache("hidden-states")
    path = folder / f"{sha256(key.encode()).hexdigest()[:32]}.f32"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=0), path.open("ab") as file:
            path.touch()
            yield StatesFile(file, path, layers, width)
        _remove_old(folder)
    except Timeout:
        raise OutputError(
            f"{path}: another process trains a vector on the same pairs; wait for it"
        ) from None
    except OSError as exc:
        raise OutputError(cache_unwritable(path, exc)) from exc


def _remove_old(folder: Path) -> None:
    files = sorted(folder.glob("*.f32"), key=lambda path: path.stat().st_mtime)
    for path in files[:-KEPT]:
        with suppress(OSError):
            path.unlink()
            path.with_suffix(".lock").unlink(missing_ok=True)
