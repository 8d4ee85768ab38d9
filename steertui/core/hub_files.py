"""Files of a repository on the hub: which of them a name selects, and which are no models.

Repositories with models also hold other GGUF files: multimodal projectors, importance matrices,
draft heads, adapters. They are told apart by what the file says of itself, by the structure of its
name, and by its size beside the other files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from steertui.core.hub_name import DEFAULT_QUANTS, HubName, part_number, split_parts

_QUANT = re.compile(
    r"(?<![A-Za-z0-9])((?:UD-)?I?Q\d\w*|B?F16|F32|MXFP4\w*)(?=[./-])", re.IGNORECASE
)
_WORDS = re.compile(r"[a-z0-9]+")

_HEADS = ("mtp", "eagle", "eagle3", "dflash", "dspark", "draft")
"""First words in the names of draft heads, which llama.cpp loads beside a model."""

MIN_SHARE = 1 / 4
"""Smallest model beside a repository's largest one, in estimated weights."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository.

    Attributes:
        path: in the repository.
        size: bytes, 0 if unknown.
        role: what it is according to its metadata, such as "a LoRA adapter"; "" for a model; None
            if the metadata is not at hand.
    """

    path: str
    size: int = 0
    role: str | None = None


def choose_files(files: Sequence[HubFile], name: HubName) -> tuple[str, ...]:
    """Return the repository's paths that a name selects, all parts in order; () for none.

    The rule is that of llama.cpp's -hf, except that F16 does not match BF16, a quantisation may be
    the name of a folder, and files that are no models are selected by their path only.
    """
    paths = [file.path for file in files]
    if name.file:
        matches = [path for path in paths if path.lower() == name.file.lower()]
    else:
        roles = auxiliary_files(files, name.repo)
        models = [f.path for f in files if _is_first(f.path) and f.path not in roles]
        quants = (name.quant,) if name.quant else DEFAULT_QUANTS
        matches = [path for quant in quants for path in _with_quant(models, quant)]
        if not name.quant:
            matches = matches or models
    if not matches or not _is_first(matches[0]):
        return ()
    parts = split_parts(matches[0])
    is_complete = len(parts) == 1 or set(parts) <= set(paths)
    return parts if is_complete else ()


def list_quantisations(files: Sequence[HubFile], repo: str) -> list[str]:
    """Return the quantisations of a repository's models, sorted."""
    roles = auxiliary_files(files, repo)
    models = [f.path for f in files if _is_first(f.path) and f.path not in roles]
    return sorted({quant for path in models if (quant := quantisation(path))})


def quantisation(path: str) -> str:
    """Return the quantisation in a file's name, or in that of its folder; "" for none."""
    folder, _, file = path.rpartition("/")
    found = _QUANT.findall(file) or _QUANT.findall(f"{folder}/")
    return found[-1].upper() if found else ""


def auxiliary_files(files: Sequence[HubFile], repo: str) -> dict[str, str]:
    """Return the GGUF files of a repository that are no models: by path, what they are."""
    firsts = [file for file in files if _is_first(file.path)]
    roles = {file.path: role for file in firsts if (role := _role(file, repo))}
    sizes = {file.path: file.size for file in files}
    weights = {
        file.path: _estimated_weights(
            file.path, sum(sizes.get(p, 0) for p in split_parts(file.path))
        )
        for file in firsts
        if file.path not in roles
    }
    largest = max(weights.values(), default=0.0)
    small = {path for path, count in weights.items() if 0 < count < MIN_SHARE * largest}
    return roles | dict.fromkeys(small, "much smaller than the model of this repository")


def _role(file: HubFile, repo: str) -> str:
    """Return what a file is if it is no model.

    Metadata decides, if it is at hand; a draft model can have that of any other model.
    """
    if file.role:
        return file.role
    name = file.path.rpartition("/")[2].lower().removesuffix(".gguf")
    words = _WORDS.findall(name)
    if words and words[0] in _HEADS:
        return "a draft head"
    if "draft" in words and "draft" not in _WORDS.findall(repo.lower()):
        return "a draft model"
    return _role_by_words(words, is_quantised=bool(_QUANT.search(f"{name}."))) * (file.role is None)


def _role_by_words(words: Sequence[str], *, is_quantised: bool) -> str:
    """Return what a file is according to the structure of its name; "" for a model.

    "imatrix" beside a quantisation says how a model was quantised.
    """
    ends = {*words[:1], *words[-1:]}
    if "mmproj" in words:
        return "a multimodal projector"
    if not is_quantised and not {"imatrix", "imat"}.isdisjoint(words):
        return "imatrix data"
    if not {"lora", "adapter"}.isdisjoint(ends) or words[:2] == ["adapter", "model"]:
        return "a LoRA adapter"
    if words[:2] == ["ggml", "vocab"]:
        return "a vocabulary without weights"
    return "" if {"cvector", "controlvector"}.isdisjoint(ends) else "a control vector"


def _estimated_weights(path: str, size: int) -> float:
    """Return the number of weights that a file's size and quantisation suggest; 0 if unknown."""
    digits = re.search(r"\d+", quantisation(path).removeprefix("MXFP"))
    return 8 * size / (int(digits[0]) + 0.5) if digits else 0.0


def _is_first(path: str) -> bool:
    """Whether a path is a single GGUF file or the first part of a split one."""
    return path.lower().endswith(".gguf") and part_number(path) in (None, 1)


def _with_quant(paths: Sequence[str], quant: str) -> list[str]:
    """Return the paths with a quantisation, those first whose own it is to the letter."""
    exact = [path for path in paths if quantisation(path) == quant.upper()]
    pattern = re.compile(rf"(?<![a-z0-9]){re.escape(quant)}[./-]", re.IGNORECASE)
    named = [path for path in paths if pattern.search(_where_named(path))]
    return list(dict.fromkeys([*exact, *named]))


def _where_named(path: str) -> str:
    """Return the part of a path that names the quantisation: the file, or else its folder."""
    folder, _, file = path.rpartition("/")
    return file if _QUANT.search(file) or not folder else f"{folder}/"
