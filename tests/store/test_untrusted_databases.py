"""Databases of other users: content that could change results is rejected before it is used."""

import json
import os
import re
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from steertui.core.generation import Generation, StopReason
from steertui.core.verdict import Label, Verdict
from steertui.errors import StoreError
from steertui.store import Store, guard
from steertui.store.merge import merge
from steertui.store.rows import digest
from steertui.store.schema import answer_digest, migration_names, migrations
from tests.fixtures.program import call
from tests.store.test_merge_conflicts import ANN, SERVER, plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with own.db and received.db, which have the same answers and labels."""
    with Store(tmp_path / "own.db") as store:
        experiment, keys = plan(store)
        run = store.add_run(experiment, {}, "", {})
        for judge in (ANN, SERVER):
            store.add_judge(judge, judge.partition("#")[0], {"title": ""})
        for key in keys:
            store.add_generation(key, run, Generation("honest", StopReason.STOP, 1, 1, 0.0))
            for judge in (ANN, SERVER):
                store.add_verdict(key, Verdict(judge, Label.NO_CONVERGENCE))
    shutil.copy(tmp_path / "own.db", tmp_path / "received.db")
    return tmp_path


def change(path: Path, *statements: str) -> None:
    """Change a database without the program."""
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [*db.iterdump()]


def assert_rejected(folder: Path, *parts: str) -> None:
    """Assert that received.db is rejected as an input and nothing changes."""
    before = dump(folder / "own.db")
    names = {path.name for path in folder.iterdir()}
    for out in ("own.db", "new.db"):
        with pytest.raises(StoreError) as error:
            merge(folder / out, [folder / "received.db"])
        message = str(error.value)
        assert len(message.splitlines()) == 1
        for part in ("received.db", *parts):
            assert part in message
    assert dump(folder / "own.db") == before
    added = {path.name for path in folder.iterdir()} - names
    assert not {name for name in added if not name.endswith(("-wal", "-shm"))}


HUGE_STRENGTH = f'[{{"kind":"vector","layers":"1","sha256":"{"ab" * 32}","strength":1{"0" * 350}}}]'
"""Interventions with a number that no float can hold."""

SWAP = """UPDATE trials SET planned_at = '2999-01-01T00:00:00+00:00', condition =
    (SELECT id FROM conditions WHERE id <> trials.condition)"""


def test_a_shard_with_swapped_conditions_is_rejected(folder: Path) -> None:
    change(folder / "received.db", SWAP)
    assert_rejected(folder, "table trials, row ", "its content does not match its id")
    code, printed, err = call("merge", "own.db", "received.db", cwd=folder)
    assert (code, printed) == (1, "")
    assert len(err.splitlines()) == 1
    assert "its content does not match its id" in err


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("conditions", "UPDATE conditions SET suffix = 'Stop.' WHERE name = 'pro'"),
        ("conditions", "UPDATE conditions SET name = 'anti' WHERE name = 'pro'"),
        ("scenarios", "UPDATE scenarios SET category = 'Another'"),
        ("prompts", "UPDATE prompts SET text = 'A forged prompt.' WHERE text LIKE '%Go on%'"),
        ("trials", "UPDATE trials SET sample = 7"),
        ("trials", "UPDATE trials SET temperature = 1.0"),
        ("trials", "UPDATE trials SET sampling = '[]'"),
        ("trials", f"UPDATE trials SET steering = '{HUGE_STRENGTH}'"),
        ("experiments", "UPDATE experiment_trials SET place = 1 - place"),
        ("generations", "UPDATE generations SET answer = 'forged'"),
        ("judges", "UPDATE judges SET name = 'openai:gpt-5.2' WHERE id LIKE 'human:%'"),
        ("judges", "UPDATE judges SET settings = '[]'"),
        (
            "judges",
            """UPDATE judges SET settings = '{"title": "", "url": "http://a/v1",
            "rubric": {"system": "a", "user": "b"}}' WHERE id LIKE 'openai%'""",
        ),
        ("judges", "UPDATE judges SET kind = 'other' WHERE id LIKE 'human:%'"),
        ("judges", "UPDATE judges SET rubric_sha256 = 'another'"),
        ("models", "UPDATE models SET template = 'another'"),
        ("models", "UPDATE models SET backend = 'imported'"),
    ],
)
def test_content_that_does_not_match_its_id_is_rejected(
    folder: Path, table: str, statement: str
) -> None:
    change(folder / "received.db", statement)
    assert_rejected(folder, f"table {table}, row ", "its content does not match its id")


def test_a_text_with_a_nul_is_rejected(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "received.db")) as db, db:
        identity = digest("pro\0", "", "")
        db.execute("INSERT INTO conditions VALUES (?, ?, '', '', '')", [identity, "pro\0"])
    assert_rejected(folder, "table conditions")


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"])
def test_no_date_makes_an_answer_replace_another(folder: Path, time: str) -> None:
    forged = answer_digest("forged")
    change(
        folder / "received.db",
        "DELETE FROM verdicts WHERE judge LIKE 'human:%'",
        "UPDATE verdicts SET label = 'convergence'",
        f"UPDATE verdicts SET created_at = '{time}'",
        "UPDATE generations SET text = 'forged', answer = 'forged', "
        f"answer_digest = '{forged}', created_at = '{time}'",
    )
    before = rows(folder / "own.db")
    code, out, err = call("merge", "own.db", "received.db", cwd=folder)
    assert code == 0
    assert re.search(r"received.db: nothing new; \d+ rows already present, 2 differ", out)
    assert "2 answers differ from the stored rows, which stay in use" in err
    assert rows(folder / "own.db") == before
    (backup,) = folder.glob("own.backup-*.db")
    assert rows(backup) == before
    with Store(folder / "own.db") as store:
        kept = [json.loads(text) for text in store.column("SELECT left_out FROM conflicts")]
    assert [one["generations"][0]["text"] for one in kept] == ["forged"] * 2
    assert [one["verdicts"][0]["label"] for one in kept] == ["convergence"] * 2
    _, out, _ = call("report", "own.db", cwd=folder)
    assert "Merged databases have rows that conflict with these numbers (2 in generations)" in out


def rows(path: Path) -> list[object]:
    with Store(path) as store:
        return [
            [*store.tuples(f"SELECT * FROM {table} ORDER BY id")]
            for table in ("generations", "verdicts")
        ]


def test_no_date_makes_a_label_replace_another(folder: Path) -> None:
    change(
        folder / "received.db",
        "UPDATE verdicts SET label = 'convergence', created_at = '2999-01-01T00:00:00+00:00'",
    )
    merge(folder / "own.db", [folder / "received.db"])
    again = merge(folder / "own.db", [folder / "received.db"])
    assert [len(one.conflicts) for one in again.inputs] == [4]
    with Store(folder / "own.db") as store:
        in_use = store.column("SELECT DISTINCT label FROM current_verdicts")
        conflicts = store.conflict_counts([store.resolve_experiment()])
    assert in_use == ["no_convergence"]
    assert conflicts == {"verdicts": 4}


def test_a_forged_prompt_is_rejected_in_either_order(folder: Path) -> None:
    shutil.copy(folder / "own.db", folder / "honest.db")
    change(folder / "received.db", "UPDATE prompts SET text = 'A forged prompt.'")
    for order in (("received.db", "honest.db"), ("honest.db", "received.db")):
        code, _, err = call("merge", "new.db", *order, cwd=folder)
        assert (code, "table prompts" in err) == (1, True)
        assert not (folder / "new.db").exists()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE generations SET text = CAST(x'ff41' AS TEXT) WHERE id = 2",
            "table generations, row 2: text is not UTF-8 text",
        ),
        (
            "UPDATE verdicts SET reason = CAST(x'c3' AS TEXT) WHERE id = 3",
            "table verdicts, row 3: reason is not UTF-8 text",
        ),
        ("UPDATE generations SET text = x'41' WHERE id = 1", "row 1: text is not UTF-8"),
        ("UPDATE generations SET tokens = 'many' WHERE id = 1", "tokens is of another type"),
        ("UPDATE verdicts SET created_at = 'soon' WHERE id = 1", "created_at is not a time"),
        ("UPDATE runs SET versions = '{'", "versions is not JSON"),
        ("DELETE FROM conditions WHERE name = 'pro'", "refers to a row that is not in conditions"),
    ],
)
def test_an_invalid_value_is_rejected_with_its_table_and_row(
    folder: Path, statement: str, message: str
) -> None:
    change(folder / "received.db", statement)
    assert_rejected(folder, message)


ENDLESS = """CREATE VIEW {} AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
    SELECT x AS id, 'steertui' AS migration_set, 'first' AS name, '' AS applied_at FROM c"""
TRIGGER = """CREATE TRIGGER {} AFTER INSERT ON verdicts BEGIN
    UPDATE verdicts SET label = 'convergence' WHERE label IS NOT NULL; END"""


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ([TRIGGER.format("helpful")], "trigger helpful is not one of steertui's"),
        (
            ["DROP TRIGGER generations_ai", TRIGGER.format("generations_ai")],
            "trigger generations_ai is not as steertui creates it",
        ),
        (
            ["DROP VIEW current_verdicts", ENDLESS.format("current_verdicts")],
            "view current_verdicts is not as steertui creates it",
        ),
        (
            ["DROP TABLE _sqlite_migrations", ENDLESS.format("_sqlite_migrations")],
            "is not a steertui database",
        ),
        (["DROP TABLE trials", ENDLESS.format("trials")], "is not a steertui database"),
        (["CREATE TABLE extra (x)"], "table extra is not one of steertui's"),
        (["CREATE INDEX more ON verdicts (label)"], "index more is not one of steertui's"),
        (["DROP INDEX verdicts_in_short"], "index verdicts_in_short is missing"),
        (
            ["ALTER TABLE verdicts ADD COLUMN x TEXT GENERATED ALWAYS AS (upper(label))"],
            "table verdicts is not as steertui creates it",
        ),
        (
            [
                "PRAGMA writable_schema=ON",
                "UPDATE sqlite_master SET sql = replace(sql, 'DEFAULT ''''', 'DEFAULT (random())') "
                "WHERE name = 'models'",
            ],
            "table models is not as steertui creates it",
        ),
        (
            [
                "CREATE TRIGGER late AFTER INSERT ON _sqlite_migrations "
                "BEGIN DELETE FROM verdicts; END"
            ],
            "trigger late is not one of steertui's",
        ),
        (
            ["DELETE FROM _sqlite_migrations WHERE name = 'filters'"],
            "lists migrations in an impossible order",
        ),
    ],
)
def test_a_changed_schema_is_rejected_by_name(
    folder: Path, statements: list[str], message: str
) -> None:
    change(folder / "received.db", *statements)
    assert_rejected(folder, message)
    before = (folder / "received.db").read_bytes()
    code, out, err = call("report", "received.db", cwd=folder)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert (folder / "received.db").read_bytes() == before


def test_tables_of_analyze_are_accepted(folder: Path) -> None:
    change(folder / "received.db", "ANALYZE")
    assert call("report", "received.db", cwd=folder)[0] == 0
    assert merge(folder / "own.db", [folder / "received.db"]).backup is None


@pytest.mark.parametrize("level", range(1, len(migration_names())))
def test_a_database_of_every_older_version_opens_and_is_migrated(
    tmp_path: Path, level: int
) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        migrations.apply(Database(db), stop_before=migration_names()[level])
    shutil.copy(path, tmp_path / "forged.db")
    merge(tmp_path / "new.db", [path])
    with Store(path, must_exist=True) as store:
        assert store.experiments() == []
    change(tmp_path / "forged.db", TRIGGER.format("helpful"))
    with pytest.raises(StoreError, match="trigger helpful is not one of steertui's"):
        Store(tmp_path / "forged.db", must_exist=True)


OLD_LEDGER: list[Callable[[sqlite3.Connection], None]] = [
    lambda db: db.executescript("""CREATE TABLE copy AS SELECT * FROM _sqlite_migrations;
        DROP TABLE _sqlite_migrations;
        CREATE TABLE [_sqlite_migrations] (
           [migration_set] TEXT,
           [name] TEXT,
           [applied_at] TEXT,
           PRIMARY KEY ([migration_set], [name])
        );
        INSERT INTO _sqlite_migrations SELECT migration_set, name, applied_at FROM copy;
        DROP TABLE copy;""").close(),
]


@pytest.mark.parametrize("write", OLD_LEDGER)
def test_the_migrations_table_of_older_libraries_is_accepted(
    folder: Path, write: Callable[[sqlite3.Connection], None]
) -> None:
    with closing(sqlite3.connect(folder / "received.db")) as db:
        write(db)
    for _ in range(2):  # the first opening migrates it
        with Store(folder / "received.db", must_exist=True) as store:
            assert len(store.experiments()) == 1


def test_an_endless_statement_is_aborted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "STEPS", 20)
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    with Store(folder / "own.db") as store:
        with pytest.raises(StoreError, match=r"own\.db: a query on it did not end"):
            store.query(sql)
        assert len(store.experiments()) == 1  # the limit applies to each statement separately


# Files beside a database


def super_journal(name: str, pages: int) -> bytes:
    """Return a rollback journal that restores nothing and names a super-journal."""
    magic = bytes.fromhex("d9d505f920a163d7")
    header = (magic + struct.pack(">5I", *(0, 1, pages, 512, 4096))).ljust(512, b"\0")
    text = name.encode()
    end = struct.pack(">2I", len(text), sum(text)) + magic
    return header + struct.pack(">I", 0x40000000 // 4096 + 1) + text + end


@pytest.mark.parametrize("link", [False, True])
def test_a_journal_that_makes_sqlite_delete_a_file_is_refused(folder: Path, *, link: bool) -> None:
    victim = folder / "precious.txt"
    received = folder / "received.db"
    pages = received.stat().st_size // 4096
    (folder / "received.db-journal").write_bytes(super_journal(str(victim), pages))
    path = folder / "link.db" if link else received
    if link:
        path.symlink_to(received)
    for command in (["report"], ["judge", "--judge", "local:demo"], ["merge"], ["inspect"]):
        victim.write_text("precious")
        arguments = [command[0], str(path), *command[1:]]
        arguments += [str(folder / "own.db")] if command == ["merge"] else []
        code, printed, err = call(*arguments, cwd=folder)
        assert victim.read_text() == "precious"
        assert (code, printed) == (1, "")
        assert len(err.splitlines()) == 1


def test_a_journal_that_is_no_file_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "received.db-journal")
    code, _, err = call("report", "received.db", cwd=folder)
    assert (code, len(err.splitlines())) == (1, 1)
    assert "not a regular file" in err


def test_a_journal_of_an_interrupted_transaction_is_recovered(folder: Path) -> None:
    received = folder / "received.db"
    before = dump(received)
    pages = received.stat().st_size // 4096
    (folder / "received.db-journal").write_bytes(super_journal("", pages)[:512])
    with Store(received) as store:
        assert store.experiments()
    assert dump(received) == before
