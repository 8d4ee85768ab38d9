"""Cache of file digests, so that weights of many gigabytes are hashed once.

An entry is valid as long as the file's size, modification time, change time and inode are the
same.
"""

import json
import os
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

from steertui.output_files import whole
from steertui.paths import user_cache

BLOCK = 1 << 22


def cached_digest(path: Path) -> str:
    """Return the file's cached sha256, "" if there is none or the file changed."""
    try:
        entry = json.loads(_entry_path(path).read_text(encoding="utf-8"))
        return str(entry["sha256"]) if entry["file"] == _file_state(path) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def store_digest(path: Path, digest: str) -> None:
    """Store the file's sha256; do nothing if the cache cannot be written."""
    entry_path = _entry_path(path)
    text = json.dumps({"path": str(path), "file": _file_state(path), "sha256": digest})
    try:
        entry_path.parent.mkdir(parents=True, exist_ok=True)
        with whole(entry_path) as file:
            file.write(text.encode())
    except OSError:
        return


def forget_digest(path: Path) -> None:
    """Remove the file's entry."""
    _entry_path(path).unlink(missing_ok=True)


def hash_file(path: Path) -> Generator[int, None, str]:
    """Hash the file; yield the number of bytes read so far, store and return the sha256.

    The digest of a file that changes meanwhile is not stored. Raises OSError if the file cannot be
    read.
    """
    before = _file_state(path)
    digest = sha256()
    done = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            yield done
    if _file_state(path) == before:
        store_digest(path, digest.hexdigest())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """Return the file's sha256 from the cache, or hash the file."""
    digest = cached_digest(path)
    work = hash_file(path)
    while not digest:
        try:
            next(work)
        except StopIteration as end:
            digest = end.value
    return digest


def _file_state(path: Path) -> list[int]:
    # The change time cannot be restored by a program that changes a byte and sets the time back.
    s = path.stat()
    return [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino]


def _entry_path(path: Path) -> Path:
    real = os.path.realpath(path)
    return (
        user_cache("stamps")
        / f"{sha256(real.encode(errors='surrogateescape')).hexdigest()[:32]}.json"
    )
