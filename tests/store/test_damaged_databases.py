"""Databases with flipped bytes: every command works or ends with a sentence that names the file."""

import io
import random
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from steertui.analysis.summary import ReportFilter
from steertui.errors import StoreError
from steertui.report.command import print_experiments, write_report
from steertui.store import Store
from steertui.store.merge import merge
from tests.fixtures.database import execute, write_small_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with answers and labels in one file, without a log beside it."""
    path = tmp_path / "received.db"
    write_small_database(path)
    return path


def report(path: Path) -> None:
    write_report(path, "terminal", ReportFilter(), path.with_name("report.txt"))


def rows(path: Path) -> None:
    write_report(path, "trials-csv", ReportFilter(), path.with_name("rows.csv"))


def merge_new(path: Path) -> None:
    merge(path.with_name("new.db"), [path])


ACTIONS: list[Callable[[Path], None]] = [report, print_experiments, merge_new, rows]


def try_flips(path: Path, seeds: range) -> int:
    """Flip bits of used bytes and run one command per seed; return the number of refusals."""
    messages = []
    whole = path.read_bytes()
    used = [place for place, byte in enumerate(whole) if byte]
    for seed in seeds:
        rng = random.Random(seed)
        data = bytearray(whole)
        for _ in range(rng.choice([1, 1, 4, 32])):
            data[rng.choice(used)] ^= 1 << rng.randrange(8)
        for file in path.parent.iterdir():
            file.unlink()
        path.write_bytes(data)
        try:
            with redirect_stdout(io.StringIO()):
                ACTIONS[seed % len(ACTIONS)](path)
        except StoreError as exc:
            messages.append(str(exc))
    assert all(path.name in message for message in messages)
    return len(messages)


def test_300_databases_with_flipped_bits_are_read_or_refused(path: Path) -> None:
    assert try_flips(path, range(300)) > 100


@pytest.mark.slow
def test_3000_databases_with_flipped_bits_are_read_or_refused(path: Path) -> None:
    assert try_flips(path, range(1_000, 4_000)) > 1_000


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trials SET scenario = 'missing'",
        "UPDATE generations SET answer = CAST(x'ff41' AS TEXT)",
        "UPDATE judges SET settings = '{'",
        "UPDATE verdicts SET created_at = 'soon'",
    ],
)
def test_damaged_rows_are_refused_by_a_report_with_the_files_name(
    path: Path, statement: str
) -> None:
    execute(path, statement)
    with pytest.raises(StoreError) as info:
        rows(path)
    assert str(info.value).startswith(f"{path}: ")


def test_an_error_of_the_program_on_an_intact_database_stays_what_it_is(path: Path) -> None:
    with pytest.raises(KeyError, match="a bug"), Store(path):
        raise KeyError("a bug")
