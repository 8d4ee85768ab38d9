"""A database that another program writes to: the wait is said after two seconds."""

import logging
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from steertui.store import Store
from steertui.store.connection import SILENT_WAIT
from tests.fixtures.stored_answers import made_up


def test_a_long_wait_for_a_lock_is_said_and_the_row_is_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.db"
    experiment = made_up(path, ["one"])
    caplog.set_level(logging.INFO)
    with closing(sqlite3.connect(path, check_same_thread=False)) as other, Store(path) as store:
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(SILENT_WAIT + 1, other.rollback)
        end.start()
        begin = time.monotonic()
        store.add_run(experiment, {}, "cpu", {})
        assert time.monotonic() - begin > SILENT_WAIT
        end.join()
    assert caplog.messages == [
        f"{path}: another program is writing to it; waiting for up to 30 s …"
    ]


def test_a_short_wait_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.db"
    experiment = made_up(path, ["one"])
    caplog.set_level(logging.INFO)
    with closing(sqlite3.connect(path, check_same_thread=False)) as other, Store(path) as store:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, other.rollback).start()
        store.add_run(experiment, {}, "cpu", {})
    assert caplog.messages == []
