"""A Stamp: that a file's bytes were hashed, so that 18 GB are not hashed again at every start.

It holds for the file as it was: another size, time, change time or inode, and it is void.
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
    """Return the file's sha256 as it was stamped, "" where it was not or has changed since."""
    try:
        told = json.loads(_place(path).read_text(encoding="utf-8"))
        return str(told["sha256"]) if told["file"] == _facts(path) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def store_digest(path: Path, digest: str) -> None:
    """Stamp the file; where nothing can be written it stays unstamped, which costs time only."""
    place = _place(path)
    text = json.dumps({"path": str(path), "file": _facts(path), "sha256": digest})
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole(place) as file:
            file.write(text.encode())
    except OSError:
        return


def forget_digest(path: Path) -> None:
    """Void the file's stamp."""
    _place(path).unlink(missing_ok=True)


def hash_file(path: Path) -> Generator[int, None, str]:
    """Hash the file block by block, yield the bytes read so far, return the sha256 and stamp it.

    A file that changes meanwhile is not stamped. Raises OSError where it cannot be read.
    """
    before, digest, done = _facts(path), sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            yield done
    if _facts(path) == before:
        store_digest(path, digest.hexdigest())
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """Return the file's sha256: as stamped, or hashed now."""
    found = cached_digest(path)
    work = hash_file(path)
    while not found:
        try:
            next(work)
        except StopIteration as end:
            found = end.value
    return found


def _facts(path: Path) -> list[int]:
    # The change time cannot be set back by whoever changes a byte and restores the time.
    s = path.stat()
    return [s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino]


def _place(path: Path) -> Path:
    real = os.path.realpath(path)
    return (
        user_cache("stamps")
        / f"{sha256(real.encode(errors='surrogateescape')).hexdigest()[:32]}.json"
    )
