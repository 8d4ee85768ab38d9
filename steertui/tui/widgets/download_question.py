"""Question before a large download: the files, their sizes, and the free space."""

from collections.abc import Sequence

from steertui.assets.hub.cache import free_space
from steertui.planning.reach import is_large_download
from steertui.printable import one_line
from steertui.units import size_text

MAX_NAMED = 10
"""Files that the question names."""


def download_question(downloads: Sequence[tuple[str, int]]) -> str:
    """Return the question for (name, size in bytes) pairs; "" if the download is small.

    A size of 0 is unknown, and asked about.
    """
    if not is_large_download(downloads):
        return ""
    lines = [
        f"  {one_line(name)}, {size_text(size) if size else 'size unknown'}"
        for name, size in downloads[:MAX_NAMED]
    ]
    more = len(downloads) - MAX_NAMED
    rest = [f"  and {more} more"] if more > 0 else []
    total = total_text([size for _, size in downloads])
    return "\n".join([f"Download {total}? {free_text()}", *lines, *rest])


def total_text(sizes: Sequence[int]) -> str:
    """Return the total of sizes in bytes in words; a size of 0 is unknown."""
    known = [size_text(sum(sizes))] if any(sizes) else []
    return " and ".join(known if all(sizes) else [*known, "files of unknown size"])


def free_text() -> str:
    """Return the free space of the disk with the models."""
    return f"{size_text(free_space())} are free."
