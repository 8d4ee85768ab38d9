"""A Model: GGUF weights, told apart by the sha256 of their bytes, and the names they go by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Literal

from steertui.paths import package_data

DEMO = "demo"

STAND_IN_TITLE = "steertui demo"
"""How the shipped checkpoint's own title (`general.name`) begins."""

ModelKind = Literal["", "base", "instruct", "thinking", "hybrid"]
"""How a model was trained to answer; "" where nobody says. A hybrid thinks unless told not to."""

SERVER_PREFIX = "server:"
"""Prefix of a model's name that is served over HTTP: "server:MODEL@URL"."""

IMPORTED_PREFIX = "imported:"
"""Prefix of a model's identity if its answers were imported and the model was not run here."""

BATCH_MARK = "#"
"""Separates an imported model's name from the digest of its runs, if they are not the published
ones to the byte."""

DEFAULT_QUANTS = ("Q4_K_M", "Q8_0")
"""What a repository's name without a quantisation means, the first that is there (llama.cpp)."""

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


class ModelBackend(StrEnum):
    """Where a model's answers come from. The values are stored; do not change them."""

    GGUF = "gguf"
    """Weights on this machine, run by llama.cpp."""
    SERVER = "server"
    """A model behind an OpenAI-compatible server."""
    IMPORTED = "imported"
    """Answers of another program, imported."""


def parse_model_backend(identity: str, origin: str) -> ModelBackend:
    """Return the backend of a stored model from its identity (`Model.sha256`) and its origin."""
    if identity.startswith(IMPORTED_PREFIX):
        return ModelBackend.IMPORTED
    return ModelBackend.SERVER if is_server(origin) else ModelBackend.GGUF


def imported_identity(name: str, batch: str = "") -> str:
    """Return the identity of a model with imported answers; `batch` is "" for published runs."""
    return f"{IMPORTED_PREFIX}{name}{BATCH_MARK if batch else ''}{batch}"


@dataclass(frozen=True, slots=True)
class Model:
    """GGUF weights on this machine.

    Attributes:
        name: short name for tables.
        path: the file (of a split model, its first part: llama.cpp finds the others).
        sha256: of the file's bytes, 64 hex digits: the model's identity. Of a split model, of its
            parts' sha256 in their order, a line each.
        size: bytes of all parts.
        origin: where it comes from, "owner/repo@revision/file"; "" for a file of the user's own.
        kind: how it was trained to answer.
    """

    name: str
    path: Path
    sha256: str
    size: int
    origin: str = ""
    kind: ModelKind = ""


@dataclass(frozen=True, slots=True)
class HubName:
    """A GGUF on the hub: owner/repo[@revision][:QUANT] or owner/repo[@revision]/file.gguf.

    Attributes:
        quant: as llama.cpp's -hf takes it, "" for the usual one.
        file: its path in the repository, "" where the quantisation tells.
        revision: a commit, branch or tag; "" for main.
    """

    repo: str
    quant: str = ""
    file: str = ""
    revision: str = ""

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        what = f"/{self.file}" if self.file else f":{self.quant}" if self.quant else ""
        return f"{self.repo}{at}{what}"


def is_server(name: str) -> bool:
    """Whether a model's name refers to a model behind a server."""
    return name.startswith(SERVER_PREFIX)


def is_stand_in(title: str) -> bool:
    """Whether a GGUF of this title is a demo checkpoint: its rates say nothing of real models."""
    return title.startswith(STAND_IN_TITLE)


def demo_path() -> Path:
    """Return the shipped demo checkpoint's path."""
    return package_data("models") / "demo" / "demo.gguf"


def parse_hub_name(name: str) -> HubName | None:
    """Return the name of a GGUF on the hub that `name` is, or None where it is a path.

    A file that lies there wins, and so does whatever can only be a path.
    """
    path = Path(name).expanduser()
    found = _HUB.fullmatch(name)
    if found is None or path.is_file() or name.startswith((".", "~", "/")):
        return None
    if found["file"] is None and found["quant"] is None and name.lower().endswith(".gguf"):
        return None
    revision = found["revision"] or found["branch"] or ""
    return HubName(found["repo"], found["quant"] or "", found["file"] or "", revision)


def choose_files(paths: Sequence[str], name: HubName) -> tuple[str, ...]:
    """Return which of a repository's paths are the weights that are meant, all parts in order.

    The rule is llama.cpp's for -hf, but that F16 does not mean BF16. Empty where there are none.
    """
    models = [p for p in paths if _is_model(p)]
    if name.file:
        first = [p for p in models if p.lower() == name.file.lower()]
    elif name.quant:
        first = [p for p in models if _has_quant(p, name.quant)]
    else:
        first = [p for q in DEFAULT_QUANTS for p in models if _has_quant(p, q)] or models
    if not first:
        return ()
    part = _PART.match(first[0])
    if part is None:
        return (first[0],)
    wanted = split_parts(first[0])
    return wanted if set(wanted) <= set(paths) else ()


def split_parts(path: str) -> tuple[str, ...]:
    """Return the paths of all parts of a split model, given any; one that is whole by itself."""
    part = _PART.match(path)
    if part is None:
        return (path,)
    numbers = range(1, int(part["count"]) + 1)
    return tuple(f"{part['stem']}-{n:05d}-of-{part['count']}.gguf" for n in numbers)


def list_quantisations(paths: Sequence[str]) -> list[str]:
    """Return the quantisations that stand in the paths, for a list to choose from."""
    found = (_QUANT.findall(p) for p in paths if _is_model(p))
    return sorted({quants[-1].upper() for quants in found if quants})


def combined_sha256(digests: Sequence[str]) -> str:
    """Return the sha256 that tells a model apart, of its files' own sha256 in order."""
    if len(digests) == 1:
        return digests[0]
    return sha256("\n".join(digests).encode()).hexdigest()


def _is_model(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    part = _PART.match(name)
    is_first = part is None or int(part["number"]) == 1
    return name.endswith(".gguf") and is_first and not any(mark in name for mark in _NO_MODEL)


def _has_quant(path: str, quant: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(quant)}[.-]", path, re.IGNORECASE))
