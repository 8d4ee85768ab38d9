"""A Model: one GGUF file, told apart by the sha256 of its bytes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from steertui.errors import ModelError
from steertui.places import shipped

DEMO = "demo"

STAND_IN = "steertui demo"
"""How the shipped checkpoint's own title (`general.name`) begins."""


@dataclass(frozen=True, slots=True)
class Model:
    """One GGUF.

    Attributes:
        name: short name for tables.
        path: the file (of a split model, its first part).
        sha256: of the file's bytes, 64 hex digits: the model's identity.
        size: bytes.
    """

    name: str
    path: Path
    sha256: str
    size: int


def is_stand_in(title: str) -> bool:
    """Whether a GGUF of this title is a demo checkpoint: its rates say nothing of real models."""
    return title.startswith(STAND_IN)


def demo_path() -> Path:
    """Return the shipped demo checkpoint's path."""
    return shipped("models") / "demo" / "demo.gguf"


def find_model(name: str) -> Model:
    """Return the model called `name`: "demo", or the path of a GGUF file.

    Raises ModelError where there is none, or the file is no GGUF.
    """
    path = demo_path() if name == DEMO else Path(name).expanduser()
    if not path.is_file():
        raise ModelError(f"{name}: no such model; give 'demo' or the path of a GGUF file")
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{path}: not a GGUF file (its first bytes differ); get it again")
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise ModelError(
            f"{path}: cannot be read ({exc.strerror}); check its permissions"
        ) from None
    short = DEMO if name == DEMO else path.stem
    return Model(short, path, digest, path.stat().st_size)
