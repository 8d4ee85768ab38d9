"""A TOML file read into a dataclass: the only door to pydantic."""

import tomllib
from pathlib import Path
from typing import TypeVar

from steertui.errors import SteertuiError

T = TypeVar("T")


def forbid_extra_keys(shape: type[T]) -> type[T]:
    """Mark a dataclass whose TOML table may hold no key but its fields."""
    shape.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    return shape


def read_text(path: Path, error: type[SteertuiError]) -> str:
    """Return the file's text; raises `error` where it is missing, unreadable or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise error(f"{path}: no such file; check the path") from None
    except UnicodeDecodeError as exc:
        raise error(f"{path}: not UTF-8 at byte {exc.start}; save it as UTF-8") from None
    except OSError as exc:
        raise error(f"{path}: cannot be read ({exc.strerror}); check its permissions") from None


def load(path: Path, shape: type[T], error: type[SteertuiError]) -> T:
    """Return the file as a `shape`, a dataclass whose keys and types are checked strictly.

    Raises `error`, naming file, key and remedy, where the file does not fit.
    """
    try:
        data = tomllib.loads(read_text(path, error))
    except tomllib.TOMLDecodeError as exc:
        raise error(f"{path}: not valid TOML: {exc}") from None
    return check(data, shape, error, str(path))


def check(data: object, shape: type[T], error: type[SteertuiError], where: str) -> T:
    """Return `data` as a `shape`; raises `error` that begins with `where`."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(shape).validate_python(data)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise error(f"{where}: {_sentence(first['type'], key, first['msg'])}") from None


def _sentence(kind: str, key: str, message: str) -> str:
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key '{key}'; remove it or mend its name"
    if kind in ("missing", "missing_argument"):
        return f"key '{key}' is missing; add it"
    return f"key '{key}': {message[:1].lower()}{message[1:]}"
