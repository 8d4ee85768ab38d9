"""The database's schema: migrations, in order."""

from hashlib import sha256

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from steertui.store.initial_schema import TABLES, VIEWS
from steertui.store.later_migrations import (
    CONFLICTS,
    DELIVERIES,
    LAST_LABEL,
    PLANNINGS,
    PLANNINGS_IN_ORDER,
    READINGS,
    REFERENCES,
    REPLIES,
)
from steertui.store.plain_names_migration import apply_plain_names

migrations = Migrations("steertui")


@migrations()
def first(db: Database) -> None:
    """Create everything."""
    for statement in _statements(TABLES + VIEWS):
        db.execute(statement)
    db["generations"].enable_fts(["answer", "reasoning"], create_triggers=True)  # type: ignore[union-attr]


@migrations()
def digests(db: Database) -> None:
    """Tell equal answers, and why each ended, without reading the texts."""
    db.execute("ALTER TABLE generations ADD COLUMN answer_digest TEXT")
    db.conn.create_function("steertui_digest", 1, answer_digest, deterministic=True)
    db.execute("UPDATE generations SET answer_digest = steertui_digest(answer)")
    db.execute("CREATE INDEX generations_in_short ON generations (trial, stop, answer_digest)")


@migrations()
def filters(db: Database) -> None:
    """Index what trials are filtered by, so that 100,000 of them answer within a key's press."""
    db.execute("CREATE INDEX verdicts_by_label ON verdicts (judge, label, trial)")
    db.execute("CREATE INDEX generations_by_stop ON generations (stop, trial)")


@migrations()
def order(db: Database) -> None:
    """Let an experiment's trials come in their order, and labels without their reasons."""
    db.execute("CREATE INDEX trials_in_order ON experiment_trials (experiment, place)")
    db.execute("CREATE INDEX verdicts_in_short ON verdicts (trial, judge, label, failure)")


@migrations()
def origins(db: Database) -> None:
    """Keep where a model's weights come from, its commit included; "" for a file of one's own."""
    db.execute("ALTER TABLE models ADD COLUMN origin TEXT NOT NULL DEFAULT ''")


def answer_digest(answer: str) -> str:
    """Return the first 16 hex digits of the answer's sha256."""
    return sha256(answer.encode()).hexdigest()[:16]


@migrations()
def judges_of_all_kinds(db: Database) -> None:
    """Keep what servers reply and charge, labels by hand, and answers imported from elsewhere."""
    for statement in _statements(REPLIES + LAST_LABEL):
        db.execute(statement)
    _allow_unknown_ends(db)


@migrations()
def answers_of_servers(db: Database) -> None:
    """Keep which server wrote an answer, and what it was given."""
    for statement in _statements(DELIVERIES):
        db.execute(statement)


def _allow_unknown_ends(db: Database) -> None:
    """Let an imported answer end for a reason nobody wrote down; SQLite rebuilds for that."""
    table = db["generations"]
    indexes = [i for (i,) in db.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'generations' "
        "AND sql IS NOT NULL")]  # fmt: skip
    found = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'")
    views = dict(found.fetchall())
    new = table.schema.replace("('stop', 'length')", "('stop', 'length', 'unknown')")
    table.disable_fts()  # type: ignore[union-attr]
    for name in views:
        db.execute(f"DROP VIEW {name}")
    db.execute("ALTER TABLE generations RENAME TO generations_before")
    db.execute(new)
    db.execute("INSERT INTO generations SELECT * FROM generations_before")
    db.execute("DROP TABLE generations_before")
    for sql in (*indexes, *views.values()):
        db.execute(sql)
    table.enable_fts(["answer", "reasoning"], create_triggers=True)  # type: ignore[union-attr]


@migrations()
def readings(db: Database) -> None:
    """Keep local judges' raw likelihoods, what batches ask, and how labels by hand were drawn."""
    for statement in _statements(READINGS):
        db.execute(statement)


@migrations()
def references_of_queues(db: Database) -> None:
    """Keep whose labels made the strata from which answers were drawn to be labelled by hand."""
    for statement in _statements(REFERENCES):
        db.execute(statement)


@migrations()
def plannings(db: Database) -> None:
    """Keep each time that an experiment was planned, with the file it was planned by."""
    for statement in _statements(PLANNINGS):
        db.execute(statement)


@migrations()
def temperatures(db: Database) -> None:
    """Index trials by their temperature, since a table of rates is of one."""
    db.execute("CREATE INDEX trials_by_temperature ON trials (temperature)")


@migrations()
def plannings_in_order(db: Database) -> None:
    """Put the columns of the plannings' key first."""
    for statement in _statements(PLANNINGS_IN_ORDER):
        db.execute(statement)


@migrations()
def conflicts(db: Database) -> None:
    """Keep what merged databases said differently, beside what stays in use."""
    for statement in _statements(CONFLICTS):
        db.execute(statement)


@migrations()
def plain_names(db: Database) -> None:
    """Rename tables and columns; store judge kinds, rubric hashes and model backends."""
    apply_plain_names(db)


def _statements(script: str) -> list[str]:
    return [s.strip() for s in script.split(";\n") if s.strip()]
