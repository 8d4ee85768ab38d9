"""Models: identity, kind and backend of the models that answer and judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Literal

from steertui.paths import package_data

DEMO = "demo"
"""Name of the shipped demo checkpoint."""

STAND_IN_TITLE = "steertui demo"
"""Start of the demo checkpoint's title (`general.name` of its GGUF)."""

ModelKind = Literal["", "base", "instruct", "thinking", "hybrid"]
"""How a model was trained to answer; "" if unknown. Hybrid models reason by default."""

SERVER_PREFIX = "server:"
"""Prefix of a model's name that is served over HTTP: "server:MODEL@URL"."""

IMPORTED_PREFIX = "imported:"
"""Prefix of a model's identity if its answers were imported and the model was not run here."""

BATCH_MARK = "#"
"""Separator between an imported model's name and the digest of its runs. Runs that equal
the published ones to the byte have neither."""

INSPECT_MARK = "inspect-"
"""Start of the digest in an imported model's identity if its answers are from inspect_ai logs."""

CONTROL_PREFIX = "control:"
"""Prefix of the identity of a control set; the set's sha256 follows."""


class ModelBackend(StrEnum):
    """Source of a model's answers. The values are stored; do not change them."""

    GGUF = "gguf"
    """Weights on this machine, run by llama.cpp."""
    SERVER = "server"
    """A model behind an OpenAI-compatible server."""
    IMPORTED = "imported"
    """Answers of another program, imported."""
    CONTROL = "control"
    """The control set: answers with known labels, which judges are measured on."""


def parse_model_backend(identity: str, origin: str) -> ModelBackend:
    """Return the backend of a stored model from its identity (`Model.sha256`) and its origin."""
    if identity.startswith(IMPORTED_PREFIX):
        return ModelBackend.IMPORTED
    if identity.startswith(CONTROL_PREFIX):
        return ModelBackend.CONTROL
    return ModelBackend.SERVER if is_server(origin) else ModelBackend.GGUF


def imported_identity(name: str, batch: str = "") -> str:
    """Return the identity of a model with imported answers; `batch` is "" for published runs."""
    return f"{IMPORTED_PREFIX}{name}{BATCH_MARK if batch else ''}{batch}"


def inspect_batch(digest: str) -> str:
    """Return the batch of a model whose answers are from inspect_ai logs (`imported_identity`)."""
    return f"{INSPECT_MARK}{digest}"


def is_from_inspect(identity: str) -> bool:
    """Whether a model's identity is that of answers from inspect_ai logs."""
    batch = identity.partition(BATCH_MARK)[2]
    return identity.startswith(IMPORTED_PREFIX) and batch.startswith(INSPECT_MARK)


@dataclass(frozen=True, slots=True)
class Model:
    """A model: GGUF weights on this machine, or a subclass for other backends.

    Attributes:
        name: short name for tables.
        path: the GGUF file; of a split model its first part, from which llama.cpp finds the
            others.
        sha256: identity of the model, 64 hex digits: the sha256 of the file; of a split model
            `combined_sha256` of its parts.
        size: bytes of all parts.
        origin: "owner/repo@revision/file"; "" for a local file.
        kind: how it was trained to answer.
    """

    name: str
    path: Path
    sha256: str
    size: int
    origin: str = ""
    kind: ModelKind = ""


@dataclass(frozen=True, slots=True)
class RemoteModel(Model):
    """A model on the hub whose weights are not on this machine: it can be planned, not run.

    `path` is a file that has the header of the GGUF and no weights.

    Attributes:
        files: (path in the repository, bytes, sha256) of all parts.
    """

    files: tuple[tuple[str, int, str], ...] = ()


def is_server(name: str) -> bool:
    """Whether a model's name refers to a model behind a server."""
    return name.startswith(SERVER_PREFIX)


def is_stand_in(title: str) -> bool:
    """Whether a GGUF's title is that of a demo checkpoint, whose rates mean nothing."""
    return title.startswith(STAND_IN_TITLE)


def demo_path() -> Path:
    """Return the path of the shipped demo checkpoint."""
    return package_data("models") / "demo" / "demo.gguf"


def combined_sha256(digests: Sequence[str]) -> str:
    """Return a model's identity from the sha256 of its files.

    One file: its sha256. Several: the sha256 of the digests, in order, joined by newlines.
    """
    if len(digests) == 1:
        return digests[0]
    return sha256("\n".join(digests).encode()).hexdigest()
