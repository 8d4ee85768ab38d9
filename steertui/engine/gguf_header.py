"""Headers of GGUF files: metadata and the list of tensors, without the tensors' data.

The reader of the package gguf makes objects of every string of a vocabulary, which takes seconds
and hundreds of megabytes. This one skips long arrays.
"""

import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from steertui.errors import ModelError

MAX_ARRAY = 4096
"""Arrays with more elements are skipped."""

MAX_ITEMS = 200_000
"""Largest number of metadata keys, and of tensors."""

MAX_DIMENSIONS = 4

_SCALARS = ("B", "b", "H", "h", "I", "i", "f", "?", "", "", "Q", "q", "d")
"""Formats of `struct` by GGUF value type; strings and arrays have none."""

INT32 = 5
FLOAT32 = 6
STRING = 8
ARRAY = 9
"""GGUF value types."""


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """A tensor of a GGUF file.

    Attributes:
        shape: sizes in ggml's order: the first is that of a row.
        kind: number of the ggml type, such as 0 for F32.
        place: offset of its data from the beginning of the file, in bytes.
    """

    shape: tuple[int, ...]
    kind: int
    place: int

    @property
    def count(self) -> int:
        """Number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Metadata and tensors of a GGUF file.

    Attributes:
        metadata: scalars, strings and arrays of at most `MAX_ARRAY` elements, by key.
        kinds: number of the GGUF value type by key, for all keys.
        tensors: by name.
    """

    metadata: dict[str, Any]
    kinds: dict[str, int]
    tensors: dict[str, GgufTensor]

    @property
    def architecture(self) -> str:
        """Architecture, such as "qwen2"; "" if it is missing."""
        return str(self.metadata.get("general.architecture", ""))

    def number(self, key: str) -> int:
        """Return the number under "ARCHITECTURE.key"; 0 if there is none."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else 0

    @property
    def layers(self) -> int:
        """Number of blocks."""
        return self.number("block_count")

    @property
    def width(self) -> int:
        """Size of a hidden state."""
        return self.number("embedding_length")


def read_header(path: Path) -> GgufHeader:
    """Return the header of a GGUF file.

    Raises ModelError if the file cannot be read, is no GGUF of version 2 or 3, or ends too early.
    """
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return _Reader(data).header()
    except (struct.error, IndexError, UnicodeDecodeError):
        raise ModelError(
            f"{path}: its GGUF header is damaged or truncated; get the file again"
        ) from None
    except ValueError as exc:  # also of an empty file
        reason = str(exc) if str(exc).startswith("it ") else "it is empty"
        raise ModelError(f"{path}: not a usable GGUF file: {reason}; get the file again") from None
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise ModelError(f"{path}: is a folder; give the path of a file") from None
    except OSError as exc:
        raise ModelError(f"{path}: cannot be read ({exc.strerror}); check the path") from None


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._place = 0

    def header(self) -> GgufHeader:
        if self._data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        self._place = 4
        if self._number("I") not in (2, 3):
            raise ValueError("it is of another GGUF version than 2 and 3")
        tensors, keys = self._count(), self._count()
        metadata: dict[str, Any] = {}
        kinds: dict[str, int] = {}
        for _ in range(keys):
            key = self._text()
            kinds[key] = self._number("I")
            value = self._value(kinds[key])
            if value is not None:
                metadata[key] = value
        found = [self._tensor() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise ValueError("it has an impossible alignment")
        start = -(-self._place // alignment) * alignment
        named = {name: GgufTensor(shape, kind, start + at) for name, shape, kind, at in found}
        if len(named) < len(found):
            raise ValueError("it has two tensors of one name")
        return GgufHeader(metadata, kinds, named)

    def _number(self, form: str) -> Any:
        size = struct.calcsize(f"<{form}")
        (value,) = struct.unpack_from(f"<{form}", self._data, self._place)
        self._place += size
        return value

    def _count(self) -> int:
        count: int = self._number("Q")
        if count > MAX_ITEMS:
            raise ValueError("it claims more keys or tensors than any model has")
        return count

    def _text(self) -> str:
        return self._bytes().decode()

    def _bytes(self) -> bytes:
        start = self._place + 8
        end = start + self._number("Q")
        if end > len(self._data):
            raise IndexError
        self._place = end
        return self._data[start:end]

    def _value(self, kind: int) -> Any:
        """Return a value; None for an array that is skipped."""
        if kind == STRING:
            return self._bytes().decode(errors="replace")
        if kind == ARRAY:
            return self._array(self._number("I"), self._number("Q"))
        return self._number(_scalar(kind))

    def _array(self, kind: int, count: int) -> list[Any] | None:
        if kind == ARRAY:
            raise ValueError("it has an array of arrays")
        if count > len(self._data):
            raise IndexError
        if count <= MAX_ARRAY:
            return [self._value(kind) for _ in range(count)]
        if kind == STRING:
            self._skip_texts(count)
        else:
            self._place += count * struct.calcsize(f"<{_scalar(kind)}")
        return None

    def _skip_texts(self, count: int) -> None:
        data, place = self._data, self._place
        unpack = struct.Struct("<Q").unpack_from
        for _ in range(count):
            place += 8 + unpack(data, place)[0]
        self._place = place

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._text()
        dimensions = self._number("I")
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            raise ValueError("it has a tensor of an impossible number of dimensions")
        shape = tuple(self._number("Q") for _ in range(dimensions))
        if not 0 < prod(shape) < 1 << 40:
            raise ValueError("it has a tensor of an impossible size")
        return name, shape, self._number("I"), self._number("Q")


def _scalar(kind: int) -> str:
    form = _SCALARS[kind] if kind < len(_SCALARS) else ""
    if not form:
        raise ValueError("it has a value of an unknown type")
    return form
