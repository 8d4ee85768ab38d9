"""huggingface_hub's cache: what it holds, by name, and what is swept out of it."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name

from steertui.assets.hash_cache import forget
from steertui.core.model import HubName, all_parts, choose_files

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
ORPHANED = 3600.0
"""Seconds after which a partial file of huggingface_hub's that nobody wrote to is swept: it never
goes on with one."""

ABANDONED = 30 * 86400.0
"""Seconds after which one of our own is."""


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """Weights in the cache.

    Attributes:
        files: their paths in the repository.
        paths: where they lie, in that order.
        promised: the sha256 that the hub stated of each, "" where the cache does not tell.
    """

    repo: str
    revision: str
    files: tuple[str, ...]
    paths: tuple[Path, ...]
    promised: tuple[str, ...]

    @property
    def origin(self) -> str:
        """Repository, commit and first file."""
        return f"{self.repo}@{self.revision}/{self.files[0]}"


def cache_folder() -> Path:
    """Return the folder that huggingface_hub keeps its files in."""
    return Path(constants.HF_HUB_CACHE)


def cached_weights(name: HubName) -> CachedWeights | None:
    """Return the weights if all their files are in the cache; the hub is not asked.

    Without a revision the cache's own "main" comes first, then the newest other commit.
    """
    for revision in _revisions(name):
        snapshot = storage_of(name.repo) / "snapshots" / revision
        there = sorted(p.relative_to(snapshot).as_posix() for p in snapshot.rglob("*.gguf"))
        files = choose_files([p for p in there if (snapshot / p).exists()], name)
        if files:
            return cached_as(name.repo, revision, files)
    return None


def all_cached_weights() -> list[CachedWeights]:
    """Return every GGUF in the cache that is whole, by repository."""
    found = []
    for storage in sorted(cache_folder().glob("models--*--*")):
        repo = storage.name.removeprefix("models--").replace("--", "/", 1)
        for snapshot in sorted((storage / "snapshots").glob("*")):
            there = sorted(p.relative_to(snapshot).as_posix() for p in snapshot.rglob("*.gguf"))
            whole = [p for p in there if (snapshot / p).exists()]
            firsts = [p for p in whole if all_parts(p)[0] == p and set(all_parts(p)) <= set(whole)]
            found += [cached_as(repo, snapshot.name, all_parts(p)) for p in firsts]
    return found


def storage_of(repo: str) -> Path:
    """Return the cache's folder of one repository."""
    return cache_folder() / repo_folder_name(repo_id=repo, repo_type="model")


def cached_as(repo: str, revision: str, files: tuple[str, ...]) -> CachedWeights:
    """Return weights whose files are known to be in the cache."""
    paths = tuple(storage_of(repo) / "snapshots" / revision / file for file in files)
    return CachedWeights(repo, revision, files, paths, tuple(_promised(path) for path in paths))


def _promised(path: Path) -> str:
    """Return the sha256 after which huggingface_hub names the blob of a file in LFS or Xet."""
    name = os.path.basename(os.readlink(path)) if path.is_symlink() else ""  # noqa: PTH119, PTH115
    return name if SHA256.fullmatch(name) else ""


def _revisions(name: HubName) -> list[str]:
    if COMMIT.fullmatch(name.revision):
        return [name.revision]
    ref = storage_of(name.repo) / "refs" / (name.revision or constants.DEFAULT_REVISION)
    main = [ref.read_text(encoding="utf-8").strip()] if ref.is_file() else []
    if name.revision:
        return main
    others = (storage_of(name.repo) / "snapshots").glob("*")
    newest = sorted(others, key=lambda p: p.stat().st_mtime, reverse=True)
    return list(dict.fromkeys([*main, *(p.name for p in newest)]))


def sweep(repo: str) -> int:
    """Remove partial files that nobody will go on with; return their bytes."""
    freed = 0
    for path in (storage_of(repo) / "blobs").glob("*.incomplete"):
        age = time.time() - path.stat().st_mtime
        if age > (ABANDONED if ".steertui." in path.name else ORPHANED):
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def remove(weights: CachedWeights) -> int:
    """Remove weights from the cache, wherever a snapshot names them; return their bytes."""
    freed = 0
    for path in weights.paths:
        forget(path)
        freed += path.stat().st_size
        # The repository's own blob, not what a store shared by several may hold behind it.
        blob = path.parent / os.readlink(path) if path.is_symlink() else path  # noqa: PTH115
        for other in (storage_of(weights.repo) / "snapshots").glob("*/**/*.gguf"):
            if os.path.realpath(other) == os.path.realpath(path) and other != path:
                other.unlink()
        path.unlink()
        blob.unlink(missing_ok=True)
    return freed
