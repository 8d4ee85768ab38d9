"""Output files: every file that a user names is written by this module, completely or not at all.

A new file is written next to its target under a random name, synchronised to the disk and then
renamed. A full disk or a killed process therefore leaves an existing file unchanged. An existing
file is replaced only if this program wrote it as the same kind of output and it is unchanged since:
the sha256 of every output is recorded in the user's cache. Databases, GGUF files, files written or
edited by hand, and inputs of the command are never replaced.
"""

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import file_digest
from io import TextIOWrapper
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO, TextIO

from steertui.errors import OutputError
from steertui.paths import user_cache

MAGIC = {b"SQLite format 3\0": "a SQLite database", b"GGUF": "a GGUF file"}

COMPANIONS = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps next to a database."""

PARTIAL = ".steertui-", ".partial"
"""Prefix and suffix of the name of an unfinished output file."""


STANDARD_OUTPUT = Path("-")
"""Path that stands for standard output in options; no file is written under this name."""


def check_output(path: Path, kind: str, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError if writing `path` would replace a file that must be kept."""
    _require_file(path)
    try:
        reason = _conflict(path, inputs) or _shape(path) or _content(path, kind)
    except OSError as exc:
        raise OutputError(_failed(path, exc)) from exc
    if reason:
        raise OutputError(f"{path}: {reason}")


def check_database(path: Path, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError if a database to write is an input or has the name of a SQLite log."""
    try:
        reason = _input(path, inputs) or _companion(path)
    except OSError as exc:
        raise OutputError(_failed(path, exc)) from exc
    if reason:
        raise OutputError(f"{path}: {reason}")


def _require_file(path: Path) -> None:
    if path == STANDARD_OUTPUT:
        raise OutputError("-: this output cannot go to standard output; give a file or folder")


@contextmanager
def output(path: Path, kind: str, inputs: Sequence[Path] = ()) -> Iterator[BinaryIO]:
    """Open an output file, which appears under its name when the block ends without an error.

    A terminal, a pipe or another character device is written directly. `kind` names the format,
    such as "html". Raises OutputError if the file cannot be written, or would replace one that must
    be kept.
    """
    check_output(path, kind, inputs)
    try:
        if _is_stream(path):
            with path.open("wb") as stream:
                yield stream
            return
        with _whole(path, kind) as file:
            yield file
            check_output(path, kind, inputs)
    except OSError as exc:
        raise OutputError(_failed(path, exc)) from exc


@contextmanager
def text_output(path: Path, kind: str, inputs: Sequence[Path] = ()) -> Iterator[TextIO]:
    """Open an output file for text in UTF-8; an unpaired surrogate is written as "?"."""
    with output(path, kind, inputs) as file:
        text = TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        yield text
        text.detach()


def append_text(path: Path, text: str) -> None:
    """Append text to a file, or create the file; raises OutputError if that fails."""
    _write(path, lambda before: before + text.encode())


def replace_text(path: Path, text: str) -> None:
    """Write text in place of a text file's; raises OutputError if that fails."""
    _write(path, lambda _: text.encode())


def _write(path: Path, change: Callable[[bytes], bytes]) -> None:
    try:
        reason = _conflict(path, ()) or _shape(path)
        if reason:
            raise OutputError(f"{path}: {reason}")
        before = path.read_bytes() if path.exists() else b""
        with whole(path) as file:
            file.write(change(before))
    except OSError as exc:
        raise OutputError(_failed(path, exc)) from exc


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file that no process ever sees unfinished; raises OSError if that fails.

    The bytes go to a new file in the same folder. A symbolic link at `path` is itself replaced.
    """
    with _whole(path, "") as file:
        yield file


def link(path: Path, target: Path) -> None:
    """Make `path` a relative symbolic link to an existing file, or a hard link where the system
    has no symbolic ones; raises OSError where it cannot.

    What existed at `path` is replaced, unless it is that file already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    start, end = PARTIAL
    partial = path.with_name(f"{start}{secrets.token_hex(8)}{end}")
    if path.exists() and path.samefile(target):
        return
    try:
        partial.symlink_to(os.path.relpath(target, path.parent))
    except OSError:
        partial.hardlink_to(target)
    partial.replace(path)


@contextmanager
def _whole(path: Path, kind: str) -> Iterator[BinaryIO]:
    start, end = PARTIAL
    partial = path.with_name(f"{start}{secrets.token_hex(8)}{end}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(partial, flags, 0o666)  # the umask applies
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        if kind:
            _record(partial, kind)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def output_folder(path: Path) -> Path:
    """Return the folder, created if it does not exist; its parent folder must exist."""
    _require_file(path)
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{path}: is a file; give a folder") from None
    except OSError as exc:
        raise OutputError(
            f"{path}: cannot be created ({exc.strerror}); choose another path"
        ) from exc
    return path


def file_name(text: str, taken: Iterable[str] = ()) -> str:
    """Return a file name for a text, at most 180 bytes long; numbered if the name is taken.

    Names that differ only in upper and lower case count as one, as on some file systems.
    """
    name = re.sub(r"[^\w.-]+", "-", text).lstrip(".").encode()[:180].decode(errors="ignore")
    lower = {other.casefold() for other in taken}
    numbered = (f"{name}-{number}" for number in count(2))
    return next(n for n in chain([name], numbered) if n.casefold() not in lower)


def is_partial(path: Path) -> bool:
    """Whether the file is an unfinished output; its writer was killed or is still writing."""
    start, end = PARTIAL
    return path.name.startswith(start) and path.name.endswith(end)


def _record(path: Path, kind: str) -> None:
    """Record an output by its sha256; if that fails, a later run refuses to replace the file."""
    with suppress(OSError):
        place = _place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole(place) as file:
            file.write(kind.encode())


def _is_own(path: Path, kind: str) -> bool:
    """Whether the file is as steertui wrote it; False if its record cannot be read."""
    try:
        return _place(path).read_bytes() == kind.encode()
    except OSError:
        return False


def _place(path: Path) -> Path:
    with path.open("rb") as file:
        return user_cache("outputs") / file_digest(file, "sha256").hexdigest()


def cache_unwritable(path: Path, exc: OSError) -> str:
    """Return why a needed file of the user's cache cannot be written, and the remedy."""
    return (
        f"{path}: cannot be written ({exc.strerror}); free some space, or set XDG_CACHE_HOME to a "
        "folder that can be written"
    )


def _conflict(path: Path, inputs: Sequence[Path]) -> str:
    return _input(path, inputs) or _companion(path) or _magic(path)


def _input(path: Path, inputs: Sequence[Path]) -> str:
    for given in inputs:
        with suppress(FileNotFoundError):
            if path.samefile(given):
                return "is an input of this command and is never replaced; choose another path"
    return ""


def _companion(path: Path) -> str:
    for ending in COMPANIONS:
        database = Path(str(path).removesuffix(ending))
        if database != path and _head(database).startswith(b"SQLite format 3\0"):
            return f"is where SQLite keeps a log of {database.name}; choose another path"
    return ""


def _magic(path: Path) -> str:
    head = _head(path)
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return f"is {name} and is never replaced; choose another path"
    return ""


def _shape(path: Path) -> str:
    """Return why the object at the path is not a replaceable file; "" if it is one, or missing."""
    if _is_stream(path):
        return ""
    if path.is_symlink():
        return "is a symbolic link; give the path of the file itself"
    if path.is_dir():
        return "is a folder; give the path of a file"
    if path.exists() and not path.is_file():
        return "is not a regular file; choose another path"
    return ""


def _content(path: Path, kind: str) -> str:
    """Return why the content of an existing file must be kept; "" if it may be replaced."""
    if not path.is_file() or not path.stat().st_size or _is_own(path, kind):
        return ""
    return (
        f"exists, and is not an unchanged {kind} file written by steertui; remove it, or choose "
        "another path"
    )


def _is_stream(path: Path) -> bool:
    """Whether the path is a terminal, a pipe or another character device."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(16)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can synchronise a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(path: Path, exc: OSError) -> str:
    return f"{path}: cannot be written ({exc.strerror or exc}); choose another path"
