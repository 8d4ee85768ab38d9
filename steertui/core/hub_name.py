"""Names of GGUF files on the Hugging Face hub, and the files of a repository that they select."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from steertui.paths import expand_home, is_file

DEFAULT_QUANTS = ("Q4_K_M", "Q8_0")
"""Quantisations that a name without one selects, in order of preference, as in llama.cpp."""

_HUB = re.compile(
    r"(?:(?:https://)?(?:huggingface\.co|hf\.co)/)?"
    r"(?P<repo>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[\w.-]+))?"
    r"(?:/(?:(?:resolve|blob)/(?P<branch>[\w.-]+)/)?(?P<file>[^:?]+\.gguf)(?:\?.*)?"
    r"|:(?P<quant>[\w.-]+))?",
    re.IGNORECASE,
)
_PART = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.IGNORECASE)
_NO_MODEL = ("mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-")
_QUANT = re.compile(r"(?<![A-Za-z0-9])((?:UD-)?I?Q\d\w*|B?F16|F32|MXFP4\w*)(?=[.-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HubName:
    """A GGUF on the hub: owner/repo[@revision][:QUANT] or owner/repo[@revision]/file.gguf.

    Attributes:
        repo: "owner/repo".
        quant: quantisation as in llama.cpp's -hf, "" for the default.
        file: path in the repository, "" if the quantisation selects the file.
        revision: commit, branch or tag; "" for main.
    """

    repo: str
    quant: str = ""
    file: str = ""
    revision: str = ""

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        quant = f":{self.quant}" if self.quant else ""
        return f"{self.repo}{revision}{f'/{self.file}' if self.file else quant}"


def parse_hub_name(name: str) -> HubName | None:
    """Return the hub name in a text, or None for the path of a file.

    An existing file takes precedence over the hub, as does any text that can only be a path.
    """
    path = expand_home(name)
    match = _HUB.fullmatch(name)
    if match is None or is_file(path) or name.startswith((".", "~", "/")):
        return None
    if match["file"] is None and match["quant"] is None and name.lower().endswith(".gguf"):
        return None
    return HubName(
        repo=match["repo"],
        quant=match["quant"] or "",
        file=match["file"] or "",
        revision=match["revision"] or match["branch"] or "",
    )


def choose_files(paths: Sequence[str], name: HubName) -> tuple[str, ...]:
    """Return the repository's paths that a name selects, all parts in order; () for none.

    The rule is that of llama.cpp's -hf, except that F16 does not match BF16.
    """
    models = [path for path in paths if _is_model(path)]
    if name.file:
        matches = [path for path in models if path.lower() == name.file.lower()]
    elif name.quant:
        matches = [path for path in models if _has_quant(path, name.quant)]
    else:
        default = [p for quant in DEFAULT_QUANTS for p in models if _has_quant(p, quant)]
        matches = default or models
    if not matches:
        return ()
    parts = split_parts(matches[0])
    is_complete = len(parts) == 1 or set(parts) <= set(paths)
    return parts if is_complete else ()


def split_parts(path: str) -> tuple[str, ...]:
    """Return the paths of all parts of a split model from any of them; else the path itself."""
    part = _PART.match(path)
    if part is None:
        return (path,)
    numbers = range(1, int(part["count"]) + 1)
    return tuple(f"{part['stem']}-{n:05d}-of-{part['count']}.gguf" for n in numbers)


def list_quantisations(paths: Sequence[str]) -> list[str]:
    """Return the quantisations in the names of a repository's models, sorted."""
    matches = (_QUANT.findall(path) for path in paths if _is_model(path))
    return sorted({quants[-1].upper() for quants in matches if quants})


def _is_model(path: str) -> bool:
    """Whether a path is a model's single file or first part."""
    name = path.rpartition("/")[2].lower()
    part = _PART.match(name)
    is_first = part is None or int(part["number"]) == 1
    return name.endswith(".gguf") and is_first and not any(mark in name for mark in _NO_MODEL)


def _has_quant(path: str, quant: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(quant)}[.-]", path, re.IGNORECASE))
