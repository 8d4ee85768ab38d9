"""huggingface_hub's cache: what it holds, by name, and what is swept out of it."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name

from steertui.assets.hash_cache import forget_digest
from steertui.core.hub_name import HubName, choose_files, split_parts
from steertui.errors import ModelError

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
ORPHANED_AFTER = 3600.0
"""Seconds after which a partial file of huggingface_hub's that nobody wrote to is swept: it never
goes on with one."""

ABANDONED_AFTER = 30 * 86400.0
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
    expected_sha256: tuple[str, ...]

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
        snapshot = repository_folder(name.repo) / "snapshots" / revision
        there = sorted(p.relative_to(snapshot).as_posix() for p in snapshot.rglob("*.gguf"))
        files = choose_files([p for p in there if (snapshot / p).exists()], name)
        if files:
            return as_cached(name.repo, revision, files)
    return None


def all_cached_weights() -> list[CachedWeights]:
    """Return every GGUF in the cache that is whole, by repository."""
    found = []
    for storage in sorted(cache_folder().glob("models--*--*")):
        repo = storage.name.removeprefix("models--").replace("--", "/", 1)
        for snapshot in sorted(_snapshots(storage)):
            there = sorted(p.relative_to(snapshot).as_posix() for p in snapshot.rglob("*.gguf"))
            whole = [p for p in there if (snapshot / p).exists()]
            firsts = [
                p for p in whole if split_parts(p)[0] == p and set(split_parts(p)) <= set(whole)
            ]
            found += [as_cached(repo, snapshot.name, split_parts(p)) for p in firsts]
    return found


def repository_folder(repo: str) -> Path:
    """Return the cache's folder of one repository."""
    return cache_folder() / repo_folder_name(repo_id=repo, repo_type="model")


def as_cached(repo: str, revision: str, files: tuple[str, ...]) -> CachedWeights:
    """Return weights whose files are known to be in the cache."""
    paths = tuple(repository_folder(repo) / "snapshots" / revision / file for file in files)
    return CachedWeights(repo, revision, files, paths, tuple(_promised(path) for path in paths))


def _promised(path: Path) -> str:
    """Return the sha256 after which huggingface_hub names the blob of a file in LFS or Xet."""
    name = os.path.basename(os.readlink(path)) if path.is_symlink() else ""  # noqa: PTH119, PTH115
    return name if SHA256.fullmatch(name) else ""


def _revisions(name: HubName) -> list[str]:
    if COMMIT.fullmatch(name.revision):
        return [name.revision]
    ref = repository_folder(name.repo) / "refs" / (name.revision or constants.DEFAULT_REVISION)
    noted = ref.read_text(encoding="utf-8", errors="replace").strip() if ref.is_file() else ""
    main = [noted] if COMMIT.fullmatch(noted) else []
    if name.revision:
        return main
    others = _snapshots(repository_folder(name.repo))
    newest = sorted(others, key=lambda p: p.stat().st_mtime, reverse=True)
    return list(dict.fromkeys([*main, *(p.name for p in newest)]))


def _snapshots(storage: Path) -> list[Path]:
    """Return the snapshots of a repository: folders named by a commit, inside the cache."""
    folder = storage / "snapshots"
    return [p for p in folder.glob("*") if COMMIT.fullmatch(p.name) and not p.is_symlink()]


def remove_stale_partials(repo: str) -> int:
    """Remove partial files that nobody will go on with; return their bytes."""
    freed = 0
    for path in (repository_folder(repo) / "blobs").glob("*.incomplete"):
        age = time.time() - path.stat().st_mtime
        if age > (ABANDONED_AFTER if ".steertui." in path.name else ORPHANED_AFTER):
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def files_to_remove(weights: CachedWeights) -> tuple[Path, ...]:
    """Return every file that removing the weights deletes: blobs, and their names in snapshots.

    Raises ModelError where one lies outside the repository's folder in the cache.
    """
    storage = Path(os.path.realpath(repository_folder(weights.repo)))
    found: dict[Path, None] = {}
    for path in weights.paths:
        place = _inside(path, storage)
        if place is None:
            raise ModelError(f"{path}: is outside {storage}; nothing was removed")
        found[place] = None
        for snapshot in _snapshots(storage):
            others = [p for p in snapshot.glob("**/*.gguf") if _is_same(p, place)]
            found |= {p: None for p in others if _inside(p, storage)}
        # The repository's own blob, not what a store shared by several may hold behind it.
        blob = _link_target(place)
        if blob.parent == storage / "blobs":
            found[blob] = None
    return tuple(found)


def remove_weights(weights: CachedWeights) -> int:
    """Remove weights from the cache, wherever a snapshot names them; return their bytes."""
    freed = sum(path.stat().st_size for path in weights.paths)
    paths = files_to_remove(weights)
    for path in weights.paths:
        forget_digest(path)
    for path in paths:
        path.unlink(missing_ok=True)
    return freed


def _inside(path: Path, storage: Path) -> Path | None:
    """Return the path with its folder resolved, None where that is outside the storage."""
    folder = Path(os.path.realpath(path.parent))
    return folder / path.name if folder.is_relative_to(storage) else None


def _link_target(path: Path) -> Path:
    """Return where a symbolic link points to, one step only; the path itself where it is none."""
    if not path.is_symlink():
        return path
    return Path(os.path.normpath(path.parent / os.readlink(path)))  # noqa: PTH115


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)
