"""TOML files read into dataclasses, checked by pydantic. The only module that imports pydantic."""

import codecs
import stat
import tomllib
from collections.abc import Sequence
from functools import cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar, cast

from steertui.errors import SteertuiError

T = TypeVar("T")

MAX_BYTES = 4 << 20
"""Largest size of a file named in a TOML file, or of all CSV files in a named folder."""


MAX_TEXT = 64 << 20
"""Largest text file in bytes."""

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Byte order marks of UTF-16."""


def forbid_extra_keys(shape: type[T]) -> type[T]:
    """Mark a dataclass so that its TOML table may have no other keys than its fields."""
    shape.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    return shape


def read_text(
    path: Path, error: type[SteertuiError], *, newline: str | None = None, most: int = MAX_TEXT
) -> str:
    """Return the file's text, which is UTF-8, or UTF-16 with a byte order mark.

    No other encoding is guessed. At most `most` bytes are read; `newline` is that of `open`. Raises
    `error` if the file is missing, unreadable, in another encoding or too large.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
        if len(raw) > most:
            raise error(f"{path}: larger than {most >> 20} MiB; give a smaller file")
        return TextIOWrapper(BytesIO(raw), encoding=encoding_of(raw), newline=newline).read()
    except FileNotFoundError:
        raise error(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise error(f"{path}: is a folder; give the path of a file") from None
    except UnicodeDecodeError as exc:
        name = "UTF-16" if exc.encoding.startswith("utf-16") else "UTF-8"
        raise error(f"{path}: not {name} at byte {exc.start}; save it as UTF-8") from None
    except OSError as exc:
        raise error(f"{path}: cannot be read ({exc.strerror}); check its permissions") from None


def encoding_of(raw: bytes) -> str:
    """Return Python's name of a text's encoding by its byte order mark: UTF-16 or UTF-8."""
    return "utf-16" if raw.startswith(UTF16) else "utf-8-sig"


def table_files(folder: Path) -> list[Path]:
    """Return the CSV and TSV files of a folder, sorted, without hidden files such as macOS adds."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in (".csv", ".tsv")]
    return sorted(file for file in files if not file.name.startswith("."))


def require_beside(folder: Path, name: str, error: type[SteertuiError]) -> Path:
    """Return the path of a text file or CSV folder that a TOML file in `folder` names.

    Raises `error` unless, with all symbolic links resolved, it is in `folder` or below and has
    regular files of at most `MAX_BYTES` together.
    """
    path = folder / name
    if ".." in Path(name).parts or name.startswith("~"):
        raise error(_outside(path, folder))
    try:
        files = table_files(path) if path.is_dir() else [path]
        real = [file.resolve(strict=True) for file in (path, *files)]
        facts = [file.stat() for file in real[1:]]
    except FileNotFoundError:
        raise error(f"{path}: no such file; check the name in the TOML file") from None
    except (OSError, RuntimeError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise error(f"{path}: cannot be read ({reason}); check the name in the TOML file") from None
    if not all(file.is_relative_to(folder.resolve()) for file in real):
        raise error(_outside(path, folder))
    if not all(stat.S_ISREG(fact.st_mode) for fact in facts):
        raise error(f"{path}: not a regular file; name a text file")
    if sum(fact.st_size for fact in facts) > MAX_BYTES:
        raise error(f"{path}: larger than 4 MiB; name a smaller file")
    return path


def require_own(folder: Path, files: Sequence[Path], error: type[SteertuiError]) -> None:
    """Raise `error` unless the files of a folder are regular files that, with all symbolic links
    resolved, are in it or below.

    A folder from someone else may have a link to a private file, or a pipe that never ends.
    """
    top = folder.resolve()
    for file in files:
        if not file.is_file():
            raise error(f"{file}: not a regular file; remove it")
        if not file.resolve().is_relative_to(top):
            raise error(f"{file}: a link to a file outside {top}; replace it by the file itself")


def _outside(path: Path, folder: Path) -> str:
    return (
        f"{path}: outside {folder.resolve()}, the folder of the TOML file that names it; copy it "
        "there, or give it as an option"
    )


def load_toml(path: Path, shape: type[T], error: type[SteertuiError]) -> T:
    """Return the file as an instance of the dataclass `shape`, with keys and types checked.

    Raises `error`, naming file, key and remedy, if the file does not match.
    """
    text = read_text(path, error)
    if not text.strip():
        raise error(f"{path}: is empty; give a file with content")
    data = parse_toml(text, error, str(path))
    return validate(data, shape, error, str(path))


def parse_toml(
    text: str, error: type[SteertuiError], where: str, remedy: str = "correct it"
) -> dict[str, Any]:
    """Return the table of a TOML text; raises `error`, with `where`, if it cannot be parsed.

    `remedy` ends the sentence on a text that is not TOML. A text with NUL is rejected: the store
    joins texts by NUL to hash them.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise error(f"{where}: not valid TOML: {exc}; {remedy}") from None
    except RecursionError:
        raise error(f"{where}: values are nested too deeply; correct it") from None
    except ValueError as exc:  # a number of more than 4,300 digits, a date that does not exist
        raise error(f"{where}: not valid TOML: {exc}; {remedy}") from None
    if _has_nul(table):
        raise error(f"{where}: a text has the character NUL; remove it")
    return table


def _has_nul(value: object) -> bool:
    """Whether a text or key in a TOML value has NUL; the parser limits the depth."""
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def validate(data: object, shape: type[T], error: type[SteertuiError], where: str) -> T:
    """Return `data` as an instance of `shape`.

    Raises `error`, with a message that starts with `where`, if it does not match.
    """
    from pydantic import ValidationError

    try:
        valid: T = _adapter(cast("Any", shape)).validate_python(data)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        key = _key(first["loc"])
        raise error(f"{where}: {_sentence(first['type'], key, first['msg'])}") from None
    return valid


@cache
def _adapter(shape: type[object]) -> Any:
    """Return pydantic's adapter of a dataclass; building one takes milliseconds."""
    from pydantic import TypeAdapter

    return TypeAdapter(shape)


def _key(place: Sequence[str | int]) -> str:
    """Return the place of a value: "prefix" as "condition[2].prefix", counted from 1."""
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts).removeprefix(".")


def _sentence(kind: str, key: str, message: str) -> str:
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key '{key}'; remove it or correct its name"
    if kind in ("missing", "missing_argument"):
        return f"key '{key}' is missing; add it"
    return f"key '{key}': {message[:1].lower()}{message[1:]}"
