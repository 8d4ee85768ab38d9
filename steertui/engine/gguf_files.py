"""Headers and tensors of third-party GGUF files, read in a child process with limits."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from steertui.core.hub_name import split_parts
from steertui.engine.gguf_header import GgufHeader, GgufTensor
from steertui.errors import ModelError
from steertui.sandbox.parent import UNREADABLE, Refused, Sandbox, Stopped

CPU_SECONDS = 20.0
"""CPU time limit in seconds for one header or tensor."""

T = TypeVar("T")


class GgufFiles:
    """A child process that reads GGUF files; a context manager.

    All methods raise ModelError, in one sentence, for a file that cannot be used.
    """

    def __init__(self) -> None:
        self._sandbox = Sandbox("steertui.engine.gguf_child:main")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sandbox.close()

    def header(self, path: Path) -> GgufHeader:
        """Return the header of one file."""
        (found,) = self._ask("header", dict, path, [()])
        try:
            tensors = {
                str(name): GgufTensor(tuple(map(int, shape)), int(kind), int(place))
                for name, (shape, kind, place) in found["tensors"].items()
            }
            kinds = {str(key): int(kind) for key, kind in found["kinds"].items()}
            return GgufHeader(dict(found["metadata"]), kinds, tensors)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _stopped(path, UNREADABLE) from None

    def model_parts(self, path: Path) -> dict[Path, GgufHeader]:
        """Return the headers of a model's files; a split model has several."""
        parts = [path.with_name(name) for name in split_parts(path.name)]
        return {part: self.header(part) for part in parts}

    def values(self, path: Path, names: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return tensors as one-dimensional arrays, in row-major order."""
        return [_decode(text) for text in self._ask("values", str, path, [(n,) for n in names])]

    def largest(self, path: Path, names: Sequence[str]) -> list[float]:
        """Return the largest absolute value of each tensor; NaN if one of them is not finite."""
        found = self._ask("largest", object, path, [(name,) for name in names])
        return [value if isinstance(value, float) else float("nan") for value in found]

    def projections(
        self, path: Path, names: Sequence[str], direction: NDArray[np.float32]
    ) -> list[NDArray[np.float32]]:
        """Return rᵀW, shape (row length of W,), for each weight matrix W and the direction r."""
        text = b64encode(np.ascontiguousarray(direction, "<f4").tobytes()).decode()
        items = [(name, text) for name in names]
        return [_decode(found) for found in self._ask("projection", str, path, items)]

    def _ask(
        self, name: str, kind: type[T], path: Path, items: Sequence[Sequence[object]]
    ) -> list[T]:
        try:
            return self._sandbox.ask(name, kind, (str(path),), items, CPU_SECONDS)
        except Refused as exc:
            raise ModelError(exc.sentence) from None
        except Stopped as exc:
            raise _stopped(path, exc.cause) from None


def merged(parts: dict[Path, GgufHeader]) -> GgufHeader:
    """Return one header with the first file's metadata and the tensors of all files.

    The places of tensors are those in their own file.
    """
    first = next(iter(parts.values()))
    tensors = {name: tensor for part in parts.values() for name, tensor in part.tensors.items()}
    return GgufHeader(first.metadata, first.kinds, tensors)


def _decode(text: str) -> NDArray[np.float32]:
    return np.frombuffer(b64decode(text), "<f4").astype(np.float32)


def _stopped(path: Path, cause: str) -> ModelError:
    return ModelError(
        f"{path}: the process that read this GGUF file stopped ({cause}); the file is damaged or "
        "too large; get it again"
    )
