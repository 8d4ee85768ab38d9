"""Headers of GGUF files, read without llama.cpp: what the file is, and where its tensors begin.

The format is that of ggml's docs/gguf.md, versions 2 and 3. `auxiliary_role` does not read keys
after the first array: converters write `general.*` before the vocabulary.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from steertui.core.hub_name import split_parts

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each scalar type."""

_STRING, _ARRAY = 8, 9
_START = "<4sIQQ"
_MAX_KEYS = 64
_MAX_TEXT = 65_536

_TYPES = {
    "adapter": "a LoRA adapter",
    "mmproj": "a multimodal projector",
    "imatrix": "imatrix data",
}
"""Meaning of `general.type`; a model has "model" or none."""

_ARCHITECTURES = {
    "clip": "a multimodal projector",
    "controlvector": "a control vector",
    "eagle": "a draft head",
    "eagle3": "a draft head",
    "dflash": "a draft head",
}
"""Values of `general.architecture` that are no text model by themselves."""


def auxiliary_role(path: Path) -> str | None:
    """Return what a GGUF is if it is no model, such as "a LoRA adapter".

    "" for a model; None for a file that is damaged or cannot be read.
    """
    try:
        with path.open("rb") as file:
            tensors, texts = _read(file)
    except (OSError, ValueError, struct.error):
        return None
    role = _TYPES.get(texts.get("general.type", ""), "")
    role = role or _ARCHITECTURES.get(texts.get("general.architecture", ""), "")
    is_part = len(split_parts(path.name)) > 1  # the first part may have metadata only
    return role or ("a vocabulary without weights" if not tensors and not is_part else "")


def _read(file: BinaryIO) -> tuple[int, dict[str, str]]:
    """Return the number of tensors, and the texts before the first array by key."""
    magic, version, tensors, keys = struct.unpack(_START, file.read(24))
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError("not a GGUF of a known version")
    texts: dict[str, str] = {}
    for _ in range(min(keys, _MAX_KEYS)):
        key = _text(file)
        (kind,) = struct.unpack("<I", file.read(4))
        if kind == _STRING:
            texts[key] = _text(file)
        elif kind in _SIZES:
            file.seek(_SIZES[kind], 1)
        else:
            break
    return tensors, texts


def header_length(content: bytes) -> int | None:
    """Return the bytes of a GGUF before its tensors' data: metadata, vocabulary, tensor shapes.

    Return None if `content`, the beginning of the file, ends earlier. Raises ValueError if it is no
    GGUF of a known version.
    """
    try:
        magic, version, tensors, keys = struct.unpack_from(_START, content)
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError("not a GGUF of a known version")
        position = struct.calcsize(_START)
        for _ in range(keys):
            position = _after_text(content, position)
            (kind,) = struct.unpack_from("<I", content, position)
            position = _after_value(content, position + 4, kind)
        for _ in range(tensors):
            position = _after_text(content, position)
            (dimensions,) = struct.unpack_from("<I", content, position)
            position += 4 + 8 * dimensions + 12  # kind and offset follow the dimensions
    except struct.error:
        return None
    return position if position <= len(content) else None


def _after_value(content: bytes, position: int, kind: int) -> int:
    if kind == _STRING:
        return _after_text(content, position)
    if kind in _SIZES:
        return position + _SIZES[kind]
    if kind != _ARRAY:
        raise ValueError("a value of an unknown type")
    kind, length = struct.unpack_from("<IQ", content, position)
    position += 12
    if kind in _SIZES:
        return position + int(length) * _SIZES[kind]
    if kind != _STRING:
        raise ValueError("an array of an unknown type")
    for _ in range(length):
        position = _after_text(content, position)
    return position


def _after_text(content: bytes, position: int) -> int:
    (length,) = struct.unpack_from("<Q", content, position)
    return position + 8 + int(length)


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _MAX_TEXT:
        raise ValueError("a text that is too long")
    return file.read(length).decode(errors="replace")
