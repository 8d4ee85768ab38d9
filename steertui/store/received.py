"""Databases of other users, opened for reading without a change to the file."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steertui.store.checked import file_id
from steertui.store.merge import check_copy
from steertui.store.store import Store


@contextmanager
def open_copy(path: Path) -> Iterator[Store]:
    """Open a checked and migrated copy of a database, which is removed afterwards.

    Raises StoreError, with the path of the original, if a merge would reject it.
    """
    with tempfile.TemporaryDirectory(prefix="steertui-") as folder:
        copy = Path(folder) / "copy.db"
        check_copy(path, copy)
        with Store(copy, must_exist=True, checked=file_id(copy)) as store:
            yield store
