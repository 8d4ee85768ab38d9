"""Pinned third-party files: downloaded for the user, verified, never shipped."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from steertui.assets.fetch.download import Download
from steertui.errors import SourceError
from steertui.paths import package_data, user_cache
from steertui.toml_files import forbid_extra_keys, load_toml
from steertui.units import verb

DEFAULT_ADDRESS = "https://raw.githubusercontent.com"
MIRROR_VARIABLE = "STEERTUI_SOURCES"
"""Environment variable with another base address, before OWNER/REPO/COMMIT/PATH."""


@forbid_extra_keys
@dataclass(frozen=True)
class PinnedFile:
    """A file: path in the repository, size in bytes, sha256."""

    path: str
    size: int
    sha256: str


@forbid_extra_keys
@dataclass(frozen=True)
class Source:
    """Files of one repository at one commit.

    Attributes:
        name: name in commands.
        about: description, one sentence.
        authors: who published the files.
        repo: "owner/repo" on GitHub.
        commit: 40 hex digits.
        licence: licence stated by the authors, "" for none.
        files: the pinned files.
    """

    name: str
    about: str
    authors: str
    repo: str
    commit: str
    licence: str
    files: list[PinnedFile]

    @property
    def folder(self) -> Path:
        """Local folder of the files; each has its path in the repository."""
        return user_cache("sources") / self.name

    @property
    def origin(self) -> str:
        """Address of the folder at the default server, or at the mirror of the environment."""
        return self.origin_at("")

    def origin_at(self, mirror: str) -> str:
        """Return the address of the folder at a mirror; "" for the default."""
        return f"{mirror.rstrip('/') or base_address()}/{self.repo}/{self.commit}"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def path_of(self, file: PinnedFile) -> Path:
        """Return the local path of a file."""
        return self.folder / file.path


@forbid_extra_keys
@dataclass(frozen=True)
class _File:
    format: int
    source: list[Source]


def base_address() -> str:
    """Return the base address of all files."""
    return (os.environ.get(MIRROR_VARIABLE) or DEFAULT_ADDRESS).rstrip("/")


@cache
def all_sources() -> dict[str, Source]:
    """Return the sources of the shipped `sources.toml`, by name."""
    file = load_toml(package_data("scenarios") / "sources.toml", _File, SourceError)
    return {source.name: source for source in file.source}


def find_source(name: str) -> Source:
    """Return a source by name; raises SourceError for an unknown name."""
    if name not in all_sources():
        raise SourceError(f"{name}: no such source; there are {', '.join(all_sources())}")
    return all_sources()[name]


def missing_files(source: Source) -> list[PinnedFile]:
    """Return the files that are missing or have another sha256."""
    return [file for file in source.files if _fault(source, file)]


def require_source(source: Source) -> Path:
    """Return the folder of a complete source.

    Raises SourceError, with instructions, for a missing file or one with another sha256.
    """
    for file in source.files:
        fault = _fault(source, file)
        if fault:
            raise SourceError(
                f"{source.name}: {file.path} {fault}; run `steertui sources pull {source.name}`, "
                f"or copy the {verb(len(source.files), 'file', f'{len(source.files)} files')} of "
                f"{source.origin} to {source.folder}, with "
                f"{verb(len(source.files), 'its path', 'their paths')}"
            )
    return source.folder


def _fault(source: Source, file: PinnedFile) -> str:
    path = source.path_of(file)
    try:
        raw = path.read_bytes() if path.stat().st_size == file.size else b""
    except OSError:
        return "is not on this machine"
    return "" if sha256(raw).hexdigest() == file.sha256 else "has another sha256 than published"


def source_downloads(source: Source, mirror: str = "") -> Iterator[Download]:
    """Yield the downloads of missing files; a file whose bytes differ is removed first.

    `mirror` is a base address that replaces the default one.
    """
    for file in missing_files(source):
        path = source.path_of(file)
        path.unlink(missing_ok=True)
        yield Download(
            name=file.path.rpartition("/")[2],
            url=f"{source.origin_at(mirror)}/{quote(file.path)}",
            size=file.size,
            sha256=file.sha256,
            target=path,
            lock=user_cache("sources") / ".locks" / f"{file.sha256}.lock",
        )
