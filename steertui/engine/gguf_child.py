"""Main function of the process that reads headers and tensors of third-party GGUF files."""

from base64 import b64decode, b64encode
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize
from numpy.typing import NDArray

from steertui.engine.gguf_header import GgufTensor, read_header
from steertui.errors import ModelError
from steertui.sandbox.child import Answer, serve

BLOCK_ROWS = 1024
"""Rows of a weight matrix that are dequantised at once."""

_header = lru_cache(maxsize=4)(read_header)


def header(path: str) -> dict[str, Any]:
    """Return the fields of a `GgufHeader`; a tensor is a list of shape, kind and place."""
    found = _header(Path(path))
    tensors = {n: [t.shape, t.kind, t.place] for n, t in found.tensors.items()}
    return {"metadata": found.metadata, "kinds": found.kinds, "tensors": tensors}


def values(path: str, name: str) -> str:
    """Return a tensor as little-endian float32 in base64; a row is contiguous."""
    return _encode(_rows(path, name, _find(path, name), slice(None)))


def largest(path: str, name: str) -> float | str:
    """Return the largest absolute value of a tensor; "nan" if one is not finite."""
    tensor = _find(path, name)
    most = 0.0
    for block in _blocks(tensor):
        rows = _rows(path, name, tensor, block)
        if not np.isfinite(rows).all():
            return "nan"
        most = max(most, float(np.abs(rows).max()))
    return most


def projection(path: str, name: str, direction: str) -> str:
    """Return rᵀW, float32 in base64, for the direction r (the same) and a weight matrix W.

    W has one row for each component of r.
    """
    tensor = _find(path, name)
    r = np.frombuffer(b64decode(direction), "<f4")
    if len(tensor.shape) != 2 or tensor.shape[1] != len(r):
        raise ModelError(f"{path}: tensor {name} does not write {len(r)} values; use another model")
    total = np.zeros(tensor.shape[0], np.float64)
    for block in _blocks(tensor):
        total += r[block].astype(np.float64) @ _rows(path, name, tensor, block)
    return _encode(total)


def _find(path: str, name: str) -> GgufTensor:
    tensors = _header(Path(path)).tensors
    if name not in tensors:
        raise ModelError(f"{path}: has no tensor {name}; use another file")
    return tensors[name]


def _blocks(tensor: GgufTensor) -> list[slice]:
    rows = tensor.count // tensor.shape[0]
    return [slice(at, min(at + BLOCK_ROWS, rows)) for at in range(0, rows, BLOCK_ROWS)]


def _rows(path: str, name: str, tensor: GgufTensor, rows: slice) -> NDArray[np.float32]:
    """Return rows of a tensor, dequantised."""
    try:
        kind = GGMLQuantizationType(tensor.kind)
        block, size = GGML_QUANT_SIZES[kind]
    except (ValueError, KeyError):
        raise ModelError(f"{path}: tensor {name} is of an unknown type; use another file") from None
    row_bytes = tensor.shape[0] // block * size
    count = tensor.count // tensor.shape[0]
    if tensor.shape[0] % block or tensor.place + count * row_bytes > Path(path).stat().st_size:
        raise ModelError(f"{path}: tensor {name} is truncated; get the file again")
    raw = np.memmap(path, np.uint8, "r", tensor.place, (count, row_bytes))
    try:
        found: NDArray[np.float32] = dequantize(np.ascontiguousarray(raw[rows]), kind)
    except NotImplementedError:
        raise ModelError(
            f"{path}: tensor {name} is of type {kind.name}, which cannot be dequantised; use "
            "another quantisation"
        ) from None
    return found


def _encode(array: NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def main(descriptor: int) -> None:
    """Serve the parent at the other end of a pipe."""
    answers: dict[str, Answer] = {
        "header": header,
        "values": values,
        "largest": largest,
        "projection": projection,
    }
    serve(descriptor, answers)
