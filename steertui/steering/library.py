"""Steering vectors of the user, by name: GGUF files in the data folder."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from steertui.core.typed_name import NameRule
from steertui.errors import ModelError, OutputError, WithRemedy
from steertui.output_files import whole
from steertui.paths import is_file, user_data
from steertui.steering.vector import SteeringVector
from steertui.steering.vector_file import encode_vector, read_own_vector

_NAME = NameRule("[A-Za-z0-9]", "[A-Za-z0-9._-]", 64)


@dataclass(frozen=True, slots=True)
class StoredVector:
    """A vector in the library.

    Attributes:
        name: its name.
        path: its GGUF file, or the database that it is stored in.
        raw: bytes of the GGUF file.
        vector: its content.
    """

    name: str
    path: Path
    raw: bytes
    vector: SteeringVector

    @property
    def sha256(self) -> str:
        """The sha256 of the GGUF file, 64 hex digits."""
        return sha256(self.raw).hexdigest()


def library_folder() -> Path:
    """Return the folder of the vectors; it may not exist."""
    return user_data("vectors")


def vector_names() -> list[str]:
    """Return the names of all vectors, sorted."""
    return sorted(path.stem for path in library_folder().glob("*.gguf"))


def vector_path(name: str) -> Path:
    """Return the path of a vector's file; raises ModelError for a name with other characters."""
    fault = _NAME.fault(name)
    if fault:
        raise ModelError(
            f"{name}: not a name for a vector: it {fault}; use letters, digits, '.', '_' and '-', "
            "at most 64, and begin with a letter or digit"
        )
    return library_folder() / f"{name}.gguf"


def require_vector(name: str) -> Path:
    """Return the path of a vector's file, which may be damaged; raises ModelError without one."""
    path = vector_path(name)
    if not is_file(path):
        known = ", ".join(vector_names()) or "none"
        raise ModelError(f"{name}: no such vector; there are {known}")
    return path


def find_vector(name: str) -> StoredVector:
    """Return a vector by name; raises ModelError if there is none, or its file is damaged."""
    path = require_vector(name)
    raw = path.read_bytes()
    return StoredVector(name, path, raw, read_own_vector(path))


def check_new(name: str, *, replace: bool = False) -> None:
    """Raise ModelError if the name is taken and is not to be replaced."""
    if vector_path(name).exists() and not replace:
        raise ModelError(
            WithRemedy(
                f"{name}: there is a vector of this name",
                f"choose another name, or remove it with `steertui vector rm {name}`",
            )
        )


def save_vector(name: str, vector: SteeringVector) -> StoredVector:
    """Write a vector under a name, completely or not at all; raises OutputError if that fails."""
    path = vector_path(name)
    raw = encode_vector(vector)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(raw)
    except OSError as exc:
        raise OutputError(
            f"{path}: cannot be written ({exc.strerror}); check the folder and free some space"
        ) from exc
    return StoredVector(name, path, raw, vector)


def remove_vector(name: str) -> Path:
    """Remove a vector and return the path of its file.

    Raises ModelError if there is none, OutputError if it cannot be removed.
    """
    path = require_vector(name)
    try:
        path.unlink()
    except OSError as exc:
        raise OutputError(
            f"{path}: cannot be removed ({exc.strerror}); make its folder writable"
        ) from exc
    return path
