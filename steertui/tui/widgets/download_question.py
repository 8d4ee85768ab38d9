"""Question before a large download: the files, their sizes, and the free space."""

import shutil
from collections.abc import Sequence

from steertui.assets.hub.cache import cache_folder
from steertui.printable import one_line
from steertui.units import size_text

LARGE = 1_000_000_000
"""Bytes above which a download is confirmed."""

MAX_NAMED = 10
"""Files that the question names."""


def download_question(downloads: Sequence[tuple[str, int]]) -> str:
    """Return the question for (name, size in bytes) pairs; "" if the download is small.

    A size of 0 is unknown, and asked about.
    """
    total = sum(size for _, size in downloads)
    has_unknown = any(not size for _, size in downloads)
    if total <= LARGE and not has_unknown:
        return ""
    lines = [
        f"  {one_line(name)}, {size_text(size) if size else 'size unknown'}"
        for name, size in downloads[:MAX_NAMED]
    ]
    more = len(downloads) - MAX_NAMED
    rest = [f"  and {more} more"] if more > 0 else []
    known = f"{size_text(total)}{' and files of unknown size' if has_unknown else ''}"
    return "\n".join([f"Download {known}? {free_text()}", *lines, *rest])


def free_text() -> str:
    """Return the free space of the disk with the models."""
    folder = cache_folder()
    existing = next(f for f in (folder, *folder.parents) if f.exists())
    return f"{size_text(shutil.disk_usage(existing).free)} are free."
