"""The archive of a bundle: a ZIP file with known names, read as a file from someone else.

Nothing is extracted but the database, to a path of the caller's. Names, links, sizes and the number
of files are checked first, and reading stops at the stated sizes.
"""

import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from steertui.errors import BundleError, shorten
from steertui.output_files import output
from steertui.paths import is_file
from steertui.units import size_text

BUNDLE = "bundle"
"""Kind of the output file."""

DATABASE = "database.db"
MANIFEST = "manifest.json"
REGISTRATION = "registration.md"

MAX_FILES = 10_000
MAX_TEXT = 256 << 20
"""Largest file besides the database, in bytes."""

MAX_RATIO = 200
"""Largest ratio of the files to the archive; a SQLite file is compressed about 5 to 1."""

FREE = 64 << 20
"""Bytes of files that are not counted in the ratio."""

_NAMES = re.compile(
    r"README\.md|manifest\.json|database\.db|report\.json|report\.md|rates\.csv|registration\.md"
    r"|figures/[\w.-]+\.svg|experiments/[0-9a-f]{16}\.toml"
)
_BLOCK = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)
"""Time of every file, so that equal content makes equal archives."""

_READ_ERRORS = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


def write_archive(path: Path, files: Mapping[str, bytes], database: Path, source: Path) -> None:
    """Write a bundle: the files by name, in order, and the database.

    `source` is the user's database, which is never replaced. Raises OutputError.
    """
    with (
        output(path, BUNDLE, [source]) as target,
        ZipFile(target, "w", ZIP_DEFLATED) as archive,
    ):
        for name, content in files.items():
            archive.writestr(_info(name), content)
        with database.open("rb") as file, archive.open(_info(DATABASE), "w") as member:
            while block := file.read(_BLOCK):
                member.write(block)


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, _TIME)
    info.compress_type = ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


class Archive:
    """A bundle that is read; see `open_archive`.

    Attributes:
        path: the file.
        sizes: stated bytes of each file by its name.
    """

    def __init__(self, path: Path, zip_file: ZipFile) -> None:
        self.path = path
        self._zip = zip_file
        members = zip_file.infolist()
        self._check(members)
        self.sizes = {member.filename: member.file_size for member in members}

    def read(self, name: str) -> bytes:
        """Return a file's content; raises BundleError if it is missing or damaged."""
        return b"".join(self._blocks(name))

    def copy(self, name: str, target: IO[bytes]) -> None:
        """Write a file's content to an open file; raises BundleError if it is damaged."""
        for block in self._blocks(name):
            target.write(block)

    def digest(self, name: str) -> str:
        """Return the sha256 of a file's content; raises BundleError if it is damaged."""
        digest = sha256()
        for block in self._blocks(name):
            digest.update(block)
        return digest.hexdigest()

    def _blocks(self, name: str) -> Iterator[bytes]:
        if name not in self.sizes:
            raise BundleError(
                f"{self.path}: has no {name}; ask for the bundle as steertui wrote it"
            )
        left = self.sizes[name]
        try:
            with self._zip.open(name) as file:
                while block := file.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise BadZipFile("more bytes than stated")
                    yield block
        except _READ_ERRORS as exc:
            raise BundleError(
                f"{self.path}: {name} is damaged ({shorten(str(exc))}); ask for another copy"
            ) from None

    def _check(self, members: list[ZipInfo]) -> None:
        """Raise BundleError for members that steertui does not write."""
        if len(members) > MAX_FILES:
            raise self._refused(f"{len(members):,} files, and a bundle has at most {MAX_FILES:,}")
        names: set[str] = set()
        for member in members:
            problem = _problem(member, names)
            if problem:
                raise self._refused(f"{shorten(member.filename)!r}: {problem}")
            names.add(member.filename)
        total = sum(member.file_size for member in members)
        if total > FREE + MAX_RATIO * self.path.stat().st_size:
            raise self._refused(f"its files would have {size_text(total)}, far more than the file")

    def _refused(self, what: str) -> BundleError:
        return BundleError(f"{self.path}: {what}; nothing was extracted")


def _problem(member: ZipInfo, names: set[str]) -> str:
    """Return why a member is not one that steertui writes; "" if it is."""
    mode = member.external_attr >> 16
    if not _NAMES.fullmatch(member.filename):
        return "not a name of a file in a bundle"
    if member.filename in names:
        return "a name that is there twice"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "a link or a device"
    if member.flag_bits & 1:
        return "encrypted"
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "compressed in an unknown way"
    if member.filename != DATABASE and member.file_size > MAX_TEXT:
        return f"larger than {size_text(MAX_TEXT)}"
    return ""


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a bundle for reading; raises BundleError if it is not one."""
    if not is_file(path):
        raise BundleError(f"{path}: no such file; give one that `steertui bundle` wrote")
    try:
        zip_file = ZipFile(path)
    except (*_READ_ERRORS, ValueError) as exc:
        raise BundleError(
            f"{path}: is not a bundle ({shorten(str(exc))}); give a file that `steertui bundle` "
            "wrote"
        ) from None
    with zip_file:
        yield Archive(path, zip_file)
