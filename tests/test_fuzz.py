"""Mutated files of others: each is read or refused in one sentence, without a crash or a hang.

The cases run in child processes, so that a crash is a failure of one seed. Every seed can be run
again alone: `python -m tests.fixtures.fuzzing TARGET SEED SEED+1`.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from steertui.analysis.summary import ReportFilter
from steertui.errors import SteertuiError, StoreError
from steertui.planning.inspection import inspect_file
from steertui.report.command import write_report
from steertui.store import Store
from steertui.store.merge import merge
from tests.fixtures.database import execute, write_small_database
from tests.fixtures.fuzzing import LIMIT, MAX_MESSAGE, fuzz
from tests.fixtures.program import call

FEW = {"databases": 60, "experiments": 300, "texts": 300, "tables": 300, "weights": 100}
MANY = {
    "databases": 20_000,
    "experiments": 20_000,
    "texts": 20_000,
    "tables": 20_000,
    "weights": 5_000,
}


def check(target: str, first: int, end: int, folder: Path) -> None:
    outcome = fuzz(target, first, end, folder)
    assert not outcome.failures, "\n".join(
        f"seed {seed}: {text}" for seed, text in list(outcome.failures.items())[:5]
    )
    assert outcome.cases == end - first
    assert outcome.cases * 0.2 < outcome.refused < outcome.cases
    assert outcome.slowest < LIMIT


@pytest.mark.parametrize("target", FEW)
def test_mutated_files_are_read_or_refused(target: str, tmp_path: Path) -> None:
    check(target, 100_000, 100_000 + FEW[target], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target", MANY)
def test_many_mutated_files_are_read_or_refused(target: str, tmp_path: Path) -> None:
    check(target, 0, MANY[target], tmp_path)


def test_a_child_that_crashes_is_a_failure_of_its_seed(tmp_path: Path) -> None:
    outcome = fuzz("crash", 5, 7, tmp_path)
    assert outcome.cases == 2
    assert list(outcome.failures) == [5, 6]
    assert outcome.failures[5].startswith("exit code -6: Fatal Python error: Aborted")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "received.db"
    write_small_database(path)
    return path


def report(path: Path) -> None:
    write_report(path, "json", ReportFilter(), path.with_name("report.json"))


def merge_new(path: Path) -> None:
    merge(path.with_name("new.db"), [path])


NAMES = [
    "models = ['~no-such-user/x.gguf']",
    "models = ['~no-such-user/x']",
    "models = ['owner/repo@" + "x" * 300 + "']",
    "models = ['" + "x" * 300 + ".gguf']",
    "models = ['" + "x" * 10_000 + "']",
    "models = ['{\"a\": ']",
    "judges = ['local:" + "y" * 300 + ".gguf']",
    "judges = ['local:~no-such-user/y.gguf']",
    "scenarios = ['" + "x" * 300 + "']",
    "scenarios = ['" + "x" * 10_000 + "']",
    "rubric = '" + "x" * 300 + "'",
    "conditions_file = '" + "x" * 10_000 + "'",
    "template = '~no-such-user/x'",
]


@pytest.mark.parametrize("line", NAMES, ids=range(len(NAMES)))
def test_a_name_that_no_file_can_have_is_one_sentence(tmp_path: Path, line: str) -> None:
    path = tmp_path / "received.toml"
    path.write_text(line, encoding="utf-8")
    try:
        message = " ".join(inspect_file(path))
    except SteertuiError as exc:
        message = str(exc)
    assert message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch", "--model", "x" * 300], "no such model"),
        (["--batch", "--scenarios", "~no-such-user/x"], "no such scenario pack"),
        (["--batch", "--rubric", "x" * 300], "no such rubric"),
        (["--batch", "--db", "x" * 300], "cannot be opened"),
        (["report", "x" * 300], "no such database"),
        (["merge", "x" * 300, "y"], "cannot be written"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:40],
)
def test_an_option_with_a_name_that_no_file_can_have_is_one_sentence(
    tmp_path: Path, options: list[str], message: str
) -> None:
    code, out, err = call(*options, cwd=tmp_path)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("use", [report, merge_new])
def test_a_label_without_an_answer_is_refused(database: Path, use: Callable[[Path], None]) -> None:
    execute(database, "DELETE FROM generations WHERE id = 2")
    message = r"received\.db: table verdicts, row \d+: is about a trial that has no answer"
    with pytest.raises(StoreError, match=message):
        use(database)


@pytest.mark.parametrize("use", [report, merge_new])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sqlite_master SET tbl_name = :long, name = :long WHERE name = 'verdicts_in_short'",
        "UPDATE sqlite_master SET name = :long WHERE name = 'current_verdicts'",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE ' || :long WHERE name = 'trials'",
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('steertui', :long, '')",
    ],
)
def test_a_message_quotes_only_the_start_of_a_long_name(
    database: Path, use: Callable[[Path], None], statement: str
) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute(statement, {"long": "x" * 10_000})
    with pytest.raises(StoreError, match=r"received\.db: ") as info:
        use(database)
    assert len(str(info.value)) < MAX_MESSAGE


def test_names_of_migrations_of_several_types_are_refused(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        for name in (None, b"\xff", "zz"):
            db.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
                "VALUES ('steertui', ?, '')",
                [name],
            )
    with pytest.raises(StoreError, match="was written by a newer steertui"):
        Store(database)
