"""A database that another program moves, removes or replaces while it is open."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from steertui.errors import StoreError
from steertui.store import Store
from tests.fixtures.stored_answers import made_up

GONE = r"a\.db: was moved, removed or replaced while it was open, .* run the same command again"


def move_file(path: Path) -> None:
    path.rename(path.with_name("b.db"))


def replace_file(path: Path) -> None:
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)


@pytest.mark.parametrize("change", [Path.unlink, move_file, replace_file])
def test_nothing_is_stored_in_a_file_that_is_no_longer_there(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.db"
    experiment = made_up(path, ["one"])
    store = Store(path)
    store.add_run(experiment, {}, "cpu", {})
    change(path)
    with pytest.raises(StoreError, match=GONE):
        store.add_run(experiment, {}, "cpu", {})
    with pytest.raises(StoreError, match=GONE):
        store.__exit__(None, None, None)


def test_a_file_that_was_only_read_may_vanish(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    experiment = made_up(path, ["one"])
    with Store(path) as store:
        path.unlink()
        assert store.plans(experiment)
