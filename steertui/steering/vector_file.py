"""GGUF files of steering vectors, as llama.cpp and repeng read and write them.

llama.cpp adds `direction.N` to the output of block N. Programs differ in where they measure it:
repeng and steertui at the output of block N, llama.cpp's cvector-generator at that of block N − 1.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from steertui.engine.gguf_files import GgufFiles
from steertui.engine.gguf_header import INT32, GgufHeader
from steertui.errors import ModelError, WithRemedy
from steertui.steering.vector import Floats, Provenance, SteeringVector

ARCHITECTURE = "controlvector"
OWN = "steertui.vector"
"""Prefix of this program's own keys."""

OPERATION = "add"
FORMAT = 1

MAX_WIDTH = 1 << 17
MAX_LAYERS = 1 << 10
"""Largest size of a hidden state, and largest number of layers."""

MAX_VALUES = 1 << 24
"""Largest number of values in the directions of all layers."""

MAX_NORM = 1e6
"""Largest norm of a direction."""

HINTS = {"mistral": "llama", "phi": "phi2", "gpt_neox": "gptneox", "qwen2_moe": "qwen2moe"}
"""llama.cpp's name of an architecture by its name in transformers, which repeng writes."""

F32 = 0
"""Number of ggml's type float32."""


class Convention(StrEnum):
    """Layer at which `direction.N` was measured."""

    SAME = "same"
    """Output of block N, as in repeng and steertui."""
    PREVIOUS = "previous"
    """Output of block N − 1, as in llama.cpp's cvector-generator."""


def encode_vector(vector: SteeringVector, convention: Convention = Convention.SAME) -> bytes:
    """Return the bytes of a GGUF file; equal vectors have equal bytes.

    llama.cpp applies a file of the convention `PREVIOUS` one layer after the one it was measured
    at, as it does those of cvector-generator.
    """
    from gguf import GGUFWriter

    shift = 1 if convention is Convention.PREVIOUS else 0
    with tempfile.TemporaryDirectory(prefix="steertui-") as folder:
        path = Path(folder) / "vector.gguf"
        writer = GGUFWriter(path, ARCHITECTURE)
        writer.add_string(f"{ARCHITECTURE}.model_hint", vector.architecture)
        count = writer.add_int32 if shift else writer.add_uint32
        count(f"{ARCHITECTURE}.layer_count", len(vector.layers))
        if not shift:
            _add_own_keys(writer, vector)
        for layer in vector.layers:
            if layer + shift < len(vector.directions):
                writer.add_tensor(f"direction.{layer + shift}", vector.directions[layer])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def _add_own_keys(writer: Any, vector: SteeringVector) -> None:
    writer.add_uint32(f"{OWN}.format", FORMAT)
    writer.add_string(f"{OWN}.operation", OPERATION)
    writer.add_string(f"{OWN}.convention", Convention.SAME)
    writer.add_array(f"{OWN}.norms", [float(value) for value in vector.norms])
    writer.add_array(f"{OWN}.separation", [float(value) for value in vector.separation])
    add_provenance(writer, vector.provenance)


def add_provenance(writer: Any, provenance: Provenance) -> None:
    """Add the known fields of a provenance to a `GGUFWriter`, for `provenance_of`."""
    for name, value in asdict(provenance).items():
        key = f"{OWN}.{name}"
        if isinstance(value, str) and value:
            writer.add_string(key, value)
        elif isinstance(value, int):
            writer.add_uint64(key, value)
        elif value:
            writer.add_array(key, list(value))


def read_vector(path: Path, model: Path) -> SteeringVector:
    """Return the vector of a GGUF file that was made for the model.

    The file is parsed in a child process. Raises ModelError, in one sentence, for a file that is no
    control vector, was made for another architecture, width or number of layers, or has values that
    are not finite or huge.
    """
    with GgufFiles() as files:
        (base, *_) = files.model_parts(model).values()
        vector = _read(files, path, base.layers)
    if _hint(vector.architecture) != base.architecture:
        raise ModelError(
            f"{path}: made for the architecture {vector.architecture or 'unknown'}, and "
            f"{model.name} has {base.architecture}; use a vector of this model"
        )
    if vector.directions.shape != (base.layers, base.width):
        raise ModelError(
            f"{path}: its directions have {vector.directions.shape[1]} values, and the hidden "
            f"states of {model.name} have {base.width}; use a vector of this model"
        )
    return replace(vector, architecture=base.architecture)


def read_own_vector(path: Path) -> SteeringVector:
    """Return the vector of a file that this program wrote; raises ModelError for any other file."""
    with GgufFiles() as files:
        return _read(files, path, 0)


def decode_vector(raw: bytes, model: Path) -> SteeringVector:
    """Return the vector of a file's bytes, checked against a model as by `read_vector`."""
    with _as_file(raw) as path:
        return read_vector(path, model)


def decode_provenance(raw: bytes) -> Provenance:
    """Return the provenance of a file's bytes, of a vector for any model.

    Raises ModelError if the header is damaged.
    """
    with _as_file(raw) as path, GgufFiles() as files:
        return provenance_of(files.header(path), path)


@contextmanager
def _as_file(raw: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="steertui-") as folder:
        path = Path(folder) / "vector.gguf"
        path.write_bytes(raw)
        yield path


def file_convention(path: Path) -> Convention:
    """Return the convention of a file, by its keys."""
    with GgufFiles() as files:
        return convention_of(files.header(path))


def convention_of(header: GgufHeader) -> Convention:
    """Return the convention of a file, by its keys.

    llama.cpp's cvector-generator stores the number of layers as a signed integer, repeng as an
    unsigned one.
    """
    is_generator = header.kinds.get(f"{ARCHITECTURE}.layer_count") == INT32
    return Convention.PREVIOUS if is_generator else Convention.SAME


def moved(vector: SteeringVector) -> SteeringVector:
    """Return the vector with each direction one layer earlier: where cvector-generator read it.

    The direction that was read at layer 0 is dropped, since llama.cpp cannot apply it.
    """
    directions = np.zeros_like(vector.directions)
    directions[1:-1] = vector.directions[2:]
    return replace(vector, directions=directions)


def _hint(architecture: str) -> str:
    return HINTS.get(architecture, architecture)


def _read(files: GgufFiles, path: Path, layers: int) -> SteeringVector:
    """Return the vector of a file; `layers` of the model, or 0 to take them from our own keys."""
    header = files.header(path)
    if header.architecture != ARCHITECTURE:
        raise ModelError(
            f"{path}: not a control vector (its architecture is "
            f"{header.architecture or 'missing'}); give a GGUF file of steertui, repeng or "
            "llama.cpp's cvector-generator"
        )
    operation = header.metadata.get(f"{OWN}.operation", OPERATION)
    form = header.metadata.get(f"{OWN}.format", FORMAT)
    if (operation, form) != (OPERATION, FORMAT):
        raise ModelError(f"{path}: written by a newer steertui; update steertui")
    norms = header.metadata.get(f"{OWN}.norms")
    count = layers or (len(norms) if isinstance(norms, list) else 0)
    if not count:
        raise ModelError(
            WithRemedy(
                f"{path}: not written by steertui", "import it with `steertui vector import`"
            )
        )
    tensors = _check_tensors(header, path, count)
    width = next(iter(header.tensors.values())).count
    if count * width > MAX_VALUES:
        raise ModelError(
            f"{path}: {count:,} layers of {width:,} values, more than any model has; use another "
            "vector"
        )
    rows = files.values(path, [f"direction.{layer}" for layer in tensors])
    directions = np.zeros((count, len(rows[0])), np.float32)
    for layer, row in zip(tensors, rows, strict=True):
        if not np.linalg.norm(row.astype(np.float64)) <= MAX_NORM:
            raise ModelError(
                f"{path}: direction.{layer} has values that are not finite or a norm above "
                f"{MAX_NORM:g}; use another vector"
            )
        directions[layer] = row
    return SteeringVector(
        architecture=str(header.metadata.get(f"{ARCHITECTURE}.model_hint", "")),
        directions=directions,
        norms=_floats(header, "norms", count, 0.0),
        separation=_floats(header, "separation", count, float("nan")),
        provenance=provenance_of(header, path),
    )


def _check_tensors(header: GgufHeader, path: Path, layers: int) -> list[int]:
    """Return the layers of the directions; raises ModelError for a malformed tensor."""
    found: dict[int, int] = {}
    for name, tensor in header.tensors.items():
        number = name.removeprefix("direction.")
        if number == name or not (number.isascii() and number.isdecimal() and len(number) < 5):
            raise ModelError(f"{path}: tensor {name} is not a direction; use another vector")
        if not 1 <= int(number) < min(layers, MAX_LAYERS):
            raise ModelError(
                f"{path}: has a direction for layer {int(number)}, and llama.cpp applies them to "
                f"layers 1 to {layers - 1} of this model; use a vector of this model"
            )
        if len(tensor.shape) != 1 or tensor.kind != F32 or tensor.count > MAX_WIDTH:
            raise ModelError(
                f"{path}: {name} is not a list of at most {MAX_WIDTH} float32 values; use another "
                "vector"
            )
        found[int(number)] = tensor.count
    if len(set(found.values())) != 1 or len(found) < len(header.tensors):
        raise ModelError(f"{path}: its directions are missing or of different lengths; use another")
    return sorted(found)


def _floats(header: GgufHeader, name: str, count: int, default: float) -> Floats:
    value = header.metadata.get(f"{OWN}.{name}")
    if not isinstance(value, list) or len(value) != count:
        return np.full(count, default, np.float32)
    return np.array([v if isinstance(v, float) else default for v in value], np.float32)


def provenance_of(header: GgufHeader, path: Path) -> Provenance:
    """Return the provenance in our own keys; that of an imported file without them."""
    if f"{OWN}.method" not in header.metadata:
        return Provenance("imported", source=path.name)
    values: dict[str, Any] = {}
    for field in fields(Provenance):
        value = header.metadata.get(f"{OWN}.{field.name}")
        if field.type is int:
            values[field.name] = value if isinstance(value, int) else 0
        elif field.type is str:
            values[field.name] = value if isinstance(value, str) else ""
        else:
            values[field.name] = tuple(map(str, value)) if isinstance(value, list) else ()
    return Provenance(**values)
