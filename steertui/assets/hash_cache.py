"""Cache of file digests, so that weights of many gigabytes are hashed once."""

from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

from steertui.file_notes import FileNotes
from steertui.paths import user_cache

BLOCK = 1 << 22

DIGESTS = FileNotes(lambda: user_cache("stamps"), "sha256")


def cached_digest(path: Path) -> str:
    """Return the file's cached sha256, "" if there is none or the file changed."""
    return DIGESTS.read(path)


def store_digest(path: Path, digest: str) -> None:
    """Store the file's sha256; do nothing if the cache cannot be written."""
    DIGESTS.write(path, digest)


def forget_digest(path: Path) -> None:
    """Remove the file's entry."""
    DIGESTS.forget(path)


def hash_file(path: Path) -> Generator[int, None, str]:
    """Hash the file; yield the number of bytes read so far, store and return the sha256.

    The digest of a file that changes meanwhile is not stored. Raises OSError if the file cannot be
    read.
    """
    before = DIGESTS.state(path)
    digest = sha256()
    done = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            yield done
    DIGESTS.write(path, digest.hexdigest(), before)
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
