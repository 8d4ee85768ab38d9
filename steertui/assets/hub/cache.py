"""huggingface_hub's cache: finding, listing and removing weights."""

import os
import re
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name

from steertui.assets.fetch.download import partial_path
from steertui.assets.gguf_header import auxiliary_role
from steertui.assets.hash_cache import forget_digest
from steertui.core.hub_files import HubFile, auxiliary_files, choose_files
from steertui.core.hub_name import HubName, split_parts
from steertui.errors import FetchError, ModelError
from steertui.paths import is_file

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
ORPHANED_AFTER = 3600.0
"""Seconds without a write after which a partial file of huggingface_hub is removed; it never
resumes one."""

ABANDONED_AFTER = 30 * 86400.0
"""Seconds without a write after which a partial file of steertui is removed."""


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """Weights in the cache.

    Attributes:
        repo: "owner/repo".
        revision: commit, 40 hex digits.
        files: paths in the repository.
        paths: local paths, in the same order.
        expected_sha256: sha256 given by the hub for each file, "" if the cache does not have it.
        role: what the files are if they are no model, such as "a LoRA adapter"; "" for a model.
    """

    repo: str
    revision: str
    files: tuple[str, ...]
    paths: tuple[Path, ...]
    expected_sha256: tuple[str, ...]
    role: str = ""

    @property
    def origin(self) -> str:
        """Repository, commit and first file."""
        return f"{self.repo}@{self.revision}/{self.files[0]}"


def cache_folder() -> Path:
    """Return huggingface_hub's cache folder."""
    return Path(constants.HF_HUB_CACHE)


def free_space() -> int:
    """Return the free bytes of the disk with the cache."""
    folders = (cache_folder(), *cache_folder().parents)
    return shutil.disk_usage(next(folder for folder in folders if folder.exists())).free


def cached_weights(name: HubName, cache: Path | None = None) -> CachedWeights | None:
    """Return the weights if all their files are in the cache; no request is sent.

    Without a revision, the cached "main" is preferred, then the newest other commit. `cache` is
    another folder with the same layout.
    """
    for revision in _revisions(name, cache):
        snapshot = repository_folder(name.repo, cache) / "snapshots" / revision
        files = choose_files(_complete_files(snapshot), name)
        if files:
            return as_cached(name.repo, revision, files, cache)
    return None


def all_cached_weights() -> list[CachedWeights]:
    """Return every complete GGUF in the cache, sorted by repository."""
    weights: list[CachedWeights] = []
    for storage in sorted(cache_folder().glob("models--*--*")):
        repo = storage.name.removeprefix("models--").replace("--", "/", 1)
        for snapshot in sorted(_snapshots(storage)):
            files = _complete_files(snapshot)
            paths = {file.path for file in files}
            roles = auxiliary_files(files, repo)
            for path in (file.path for file in files):
                parts = split_parts(path)
                if parts[0] == path and paths.issuperset(parts):
                    found = as_cached(repo, snapshot.name, parts)
                    weights.append(replace(found, role=roles.get(path, "")))
    return weights


def _complete_files(snapshot: Path) -> list[HubFile]:
    """Return a snapshot's GGUF files whose blobs exist, sorted by path."""
    files = sorted(path for path in snapshot.rglob("*.gguf") if path.exists())
    return [
        HubFile(path.relative_to(snapshot).as_posix(), path.stat().st_size, auxiliary_role(path))
        for path in files
    ]


def repository_folder(repo: str, cache: Path | None = None) -> Path:
    """Return the folder of a repository in huggingface_hub's cache, or in another cache."""
    return (cache or cache_folder()) / repo_folder_name(repo_id=repo, repo_type="model")


def as_cached(
    repo: str, revision: str, files: tuple[str, ...], cache: Path | None = None
) -> CachedWeights:
    """Return weights whose files are in the cache."""
    snapshot = repository_folder(repo, cache) / "snapshots" / revision
    paths = tuple(snapshot / file for file in files)
    return CachedWeights(
        repo=repo,
        revision=revision,
        files=files,
        paths=paths,
        expected_sha256=tuple(_blob_sha256(path) for path in paths),
    )


def _blob_sha256(path: Path) -> str:
    """Return the sha256 in the name of a file's blob, which LFS and Xet files have; else ""."""
    name = os.path.basename(os.readlink(path)) if path.is_symlink() else ""  # noqa: PTH119, PTH115
    return name if SHA256.fullmatch(name) else ""


def _revisions(name: HubName, cache: Path | None) -> list[str]:
    if COMMIT.fullmatch(name.revision):
        return [name.revision]
    ref = repository_folder(name.repo) / "refs" / (name.revision or constants.DEFAULT_REVISION)
    noted = ref.read_text(encoding="utf-8", errors="replace").strip() if is_file(ref) else ""
    main = [noted] if COMMIT.fullmatch(noted) else []
    if name.revision:
        return main
    others = _snapshots(repository_folder(name.repo, cache))
    newest = sorted(others, key=lambda p: p.stat().st_mtime, reverse=True)
    return list(dict.fromkeys([*main, *(p.name for p in newest)]))


def _snapshots(storage: Path) -> list[Path]:
    """Return the snapshots of a repository: folders named by a commit, inside the cache."""
    folder = storage / "snapshots"
    return [p for p in folder.glob("*") if COMMIT.fullmatch(p.name) and not p.is_symlink()]


def received_bytes(repo: str, sha256: str) -> int:
    """Return the bytes that an interrupted download of a file left; 0 for none."""
    partial = partial_path(repository_folder(repo) / "blobs", sha256)
    return partial.stat().st_size if is_file(partial) else 0


def remove_stale_partials(repo: str) -> int:
    """Remove partial files that will not be resumed; return the bytes freed."""
    freed = 0
    for path in (repository_folder(repo) / "blobs").glob("*.incomplete"):
        age = time.time() - path.stat().st_mtime
        if age > (ABANDONED_AFTER if ".steertui." in path.name else ORPHANED_AFTER):
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def files_to_remove(weights: CachedWeights) -> tuple[Path, ...]:
    """Return every file that `remove_weights` deletes: blobs and their links in snapshots.

    Raises ModelError if one is outside the repository's folder in the cache.
    """
    storage = Path(os.path.realpath(repository_folder(weights.repo)))
    files: dict[Path, None] = {}
    for path in weights.paths:
        resolved = _inside(path, storage)
        if resolved is None:
            raise ModelError(f"{path}: outside {storage}; nothing was removed")
        files[resolved] = None
        for snapshot in _snapshots(storage):
            others = [p for p in snapshot.glob("**/*.gguf") if _is_same(p, resolved)]
            files |= {p: None for p in others if _inside(p, storage)}
        # The repository's own blob, not a file of a shared store behind it.
        blob = _link_target(resolved)
        if blob.parent == storage / "blobs":
            files[blob] = None
    return tuple(files)


def remove_weights(weights: CachedWeights) -> int:
    """Remove weights from all snapshots of the cache; return the bytes freed.

    Raises FetchError if a file cannot be removed.
    """
    freed = sum(path.stat().st_size for path in weights.paths)
    paths = files_to_remove(weights)
    for path in weights.paths:
        forget_digest(path)
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as exc:
            raise FetchError(
                f"{path}: cannot be removed ({exc.strerror}); make its folder writable"
            ) from exc
    return freed


def _inside(path: Path, storage: Path) -> Path | None:
    """Return the path with its folder resolved; None if it is outside the storage."""
    folder = Path(os.path.realpath(path.parent))
    return folder / path.name if folder.is_relative_to(storage) else None


def _link_target(path: Path) -> Path:
    """Return the direct target of a symbolic link; any other path unchanged."""
    if not path.is_symlink():
        return path
    return Path(os.path.normpath(path.parent / os.readlink(path)))  # noqa: PTH115


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)
