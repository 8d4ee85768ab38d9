"""Files of inspect_ai logs, `.eval` (a ZIP archive of JSON files) and `.json`: untrusted input.

A log is read without the inspect_ai package. No member is extracted to disk, and every size is
limited before it is read.
"""

import os
import struct
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from steertui.errors import SourceError, shorten
from steertui.paths import is_file, is_folder
from steertui.toml_files import require_own
from steertui.untrusted import InvalidJsonError, parse_json, table_of, tables_of

ENDINGS = (".eval", ".json")
"""Endings of logs, in lower case."""

MAX_JSON = 256 << 20
"""Largest `.json` log in bytes."""

MAX_MEMBER = 64 << 20
"""Largest member of an archive in bytes, decompressed."""

MAX_MEMBERS = 200_000
"""Largest number of members of an archive."""

MAX_TOTAL = 4 << 30
"""Largest sum of the stated sizes of an archive's members, in bytes."""

ZIP_ZSTANDARD = 93
"""Compression method of current `.eval` logs, which Python's zipfile reads since version 3.14."""

_READ_ERRORS = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log.

    Attributes:
        path: the file.
        sha256: of the file, 64 hex digits.
        header: the log without its samples: `status`, `eval`, `plan`, `results`.
    """

    path: Path
    sha256: str
    header: Mapping[str, Any]

    def samples(self) -> Iterator[dict[str, Any]]:
        """Yield the samples, in the order of the file; raises SourceError at a damaged one."""
        if self.path.suffix.lower() == ".json":
            yield from tables_of(_read_json(self.path).get("samples"))
            return
        with _open(self.path) as (archive, file):
            for name in dict.fromkeys(archive.namelist()):
                if name.startswith("samples/") and name.endswith(".json"):
                    yield _member(self.path, archive, file, name)


def log_paths(path: Path) -> list[Path]:
    """Return the logs of a folder and its subfolders, sorted, or the path itself for a file.

    Raises SourceError if there is none, or if a log is a link out of the folder.
    """
    if is_folder(path):
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() == ".eval")
        files = files or sorted(f for f in path.rglob("*") if f.suffix.lower() == ".json")
        if not files:
            raise SourceError(f"{path}: no inspect_ai log (.eval or .json); give a log folder")
        require_own(path, files, SourceError)
        return files
    if not is_file(path):
        raise SourceError(f"{path}: no such log; give a file (.eval or .json) or a folder of logs")
    if path.suffix.lower() not in ENDINGS:
        raise SourceError(f"{path}: not an inspect_ai log by its name; give a .eval or .json file")
    return [path]


def open_log(path: Path) -> LogFile:
    """Return a log with its header; raises SourceError if the file is none."""
    try:
        with path.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise _unreadable(path, exc) from None
    if path.suffix.lower() == ".json":
        header = {k: v for k, v in _read_json(path).items() if k != "samples"}
    else:
        with _open(path) as (archive, file):
            names = set(archive.namelist())
            if "header.json" not in names:
                raise SourceError(
                    f"{path}: has no header.json, so the run did not end; finish it with "
                    "`inspect eval-retry`, or give another log"
                )
            header = _member(path, archive, file, "header.json")
    if not table_of(header.get("eval")).get("model"):
        raise SourceError(f"{path}: not an inspect_ai log (no eval.model); give another file")
    return LogFile(path, sha256, header)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_JSON + 1)
        return table_of(parse_json(raw, max_bytes=MAX_JSON))
    except (OSError, InvalidJsonError) as exc:
        raise _unreadable(path, exc) from None


@contextmanager
def _open(path: Path) -> Iterator[tuple[ZipFile, BinaryIO]]:
    """Open an archive and its file for reading; raises SourceError if it is none."""
    try:
        with path.open("rb") as file:
            archive = ZipFile(file)
            _check(path, archive.infolist())
            yield archive, file
    except (*_READ_ERRORS, ValueError) as exc:
        raise _unreadable(path, exc) from None


def _check(path: Path, members: list[ZipInfo]) -> None:
    """Raise SourceError if an archive exceeds a limit."""
    total = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or total > MAX_TOTAL:
        raise SourceError(
            f"{path}: {len(members):,} members of {total:,} bytes, and at most {MAX_MEMBERS:,} of "
            f"{MAX_TOTAL:,} are read; split the log"
        )


def _member(path: Path, archive: ZipFile, file: BinaryIO, name: str) -> dict[str, Any]:
    """Return the JSON object in a member; raises SourceError if it is damaged or too large."""
    info = archive.getinfo(name)
    try:
        raw = _zstandard(path, file, info) if _needs_zstandard(info) else _inflate(archive, info)
        return table_of(parse_json(raw, max_bytes=MAX_MEMBER))
    except (*_READ_ERRORS, ValueError) as exc:
        raise SourceError(
            f"{path}: {shorten(name)!r} cannot be read ({shorten(str(exc))}); ask for another copy"
        ) from None


def _inflate(archive: ZipFile, info: ZipInfo) -> bytes:
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED, ZIP_ZSTANDARD):
        raise BadZipFile(f"compression method {info.compress_type} is not read")
    with archive.open(info) as member:
        return member.read(MAX_MEMBER + 1)


def _needs_zstandard(info: ZipInfo) -> bool:
    """Whether a member needs the package zstandard, which Python 3.14 does without."""
    return info.compress_type == ZIP_ZSTANDARD and sys.version_info < (3, 14)


def _zstandard(path: Path, file: BinaryIO, info: ZipInfo) -> bytes:
    """Return a member's content, decompressed by the package zstandard."""
    if not find_spec("zstandard"):
        raise SourceError(
            f"{path}: is compressed with Zstandard; pip install 'steertui[inspect]', or "
            "convert the log with `inspect log convert --to json`"
        )
    import zstandard

    file.seek(info.header_offset)
    names = struct.unpack("<26x2H", file.read(30))
    file.seek(sum(names), os.SEEK_CUR)
    raw = file.read(info.compress_size)
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_MEMBER)
    try:
        with decompressor.stream_reader(raw, read_across_frames=True) as reader:
            content: bytes = reader.read(MAX_MEMBER + 1)
    except zstandard.ZstdError as exc:
        raise BadZipFile(str(exc)) from None
    if zlib.crc32(content) != info.CRC and len(content) <= MAX_MEMBER:
        raise BadZipFile("its checksum is another")
    return content


def _unreadable(path: Path, exc: Exception) -> SourceError:
    reason = exc.strerror if isinstance(exc, OSError) else shorten(str(exc))
    return SourceError(f"{path}: cannot be read as an inspect_ai log ({reason}); give another file")
