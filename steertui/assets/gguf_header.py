"""First keys of a GGUF file: what the file is, read without llama.cpp.

The format is that of ggml's docs/gguf.md, versions 2 and 3. Keys after the first array are not
read: converters write `general.*` before the vocabulary.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from steertui.core.hub_name import split_parts

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each scalar type."""

_STRING = 8
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
    magic, version, tensors, keys = struct.unpack("<4sIQQ", file.read(24))
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


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > _MAX_TEXT:
        raise ValueError("a text that is too long")
    return file.read(length).decode(errors="replace")
