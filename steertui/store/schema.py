"""Schema of the database as a sequence of migrations. Applied migrations must not be changed."""

import sqlite3
from contextlib import closing
from functools import cache
from hashlib import sha256

from steertui.store.database import Database, Migrations
from steertui.store.initial_schema import TABLES, VIEWS
from steertui.store.later_migrations import (
    AGREEMENT_VIEWS,
    ANSWER_LOGLIKS,
    CONDITION_IDS,
    CONFLICTS,
    CONTROL,
    DELIVERIES,
    INTERVENTIONS,
    LAST_LABEL,
    PLANNINGS,
    PLANNINGS_IN_ORDER,
    READINGS,
    REFERENCES,
    REPLIES,
    VECTORS,
)
from steertui.store.plain_names_migration import apply_plain_names
from steertui.store.prompt_formats_migration import apply_prompt_formats

migrations = Migrations("steertui")


@migrations()
def first(db: Database) -> None:
    """Create the first tables and views and the full-text index."""
    for statement in _statements(TABLES + VIEWS):
        db.execute(statement)
    db["generations"].enable_fts(["answer", "reasoning"], create_triggers=True)  # type: ignore[union-attr]


@migrations()
def digests(db: Database) -> None:
    """Add digests of answers, so that equal answers are found without reading their texts."""
    db.execute("ALTER TABLE generations ADD COLUMN answer_digest TEXT")
    db.conn.create_function("steertui_digest", 1, answer_digest, deterministic=True)
    db.execute("UPDATE generations SET answer_digest = steertui_digest(answer)")
    db.execute("CREATE INDEX generations_in_short ON generations (trial, stop, answer_digest)")


@migrations()
def filters(db: Database) -> None:
    """Index labels and stop reasons, so that a filter over 100,000 trials takes no visible time."""
    db.execute("CREATE INDEX verdicts_by_label ON verdicts (judge, label, trial)")
    db.execute("CREATE INDEX generations_by_stop ON generations (stop, trial)")


@migrations()
def order(db: Database) -> None:
    """Index trials in planned order, and labels without their reasons."""
    db.execute("CREATE INDEX trials_in_order ON experiment_trials (experiment, place)")
    db.execute("CREATE INDEX verdicts_in_short ON verdicts (trial, judge, label, failure)")


@migrations()
def origins(db: Database) -> None:
    """Add the repository and commit of a model's weights; "" for a local file."""
    db.execute("ALTER TABLE models ADD COLUMN origin TEXT NOT NULL DEFAULT ''")


def answer_digest(answer: str) -> str:
    """Return the first 16 hex digits of the answer's sha256."""
    return sha256(answer.encode()).hexdigest()[:16]


@migrations()
def judges_of_all_kinds(db: Database) -> None:
    """Add replies and costs of judge servers, labels by people, and imported answers."""
    for statement in _statements(REPLIES + LAST_LABEL):
        db.execute(statement)
    _allow_unknown_ends(db)


@migrations()
def answers_of_servers(db: Database) -> None:
    """Add the origin of answers that a server wrote."""
    for statement in _statements(DELIVERIES):
        db.execute(statement)


def _allow_unknown_ends(db: Database) -> None:
    """Allow the stop reason "unknown" for imported answers, which needs a new table."""
    table = db["generations"]
    sql = """SELECT sql FROM sqlite_master
        WHERE type = 'index' AND tbl_name = 'generations' AND sql IS NOT NULL"""
    indexes = [row[0] for row in db.execute(sql)]
    views = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall())
    new = table.schema.replace("('stop', 'length')", "('stop', 'length', 'unknown')")
    table.disable_fts()  # type: ignore[union-attr]
    for name in views:
        db.execute(f"DROP VIEW {name}")
    db.execute("ALTER TABLE generations RENAME TO generations_before")
    db.execute(new)
    db.execute("INSERT INTO generations SELECT * FROM generations_before")
    db.execute("DROP TABLE generations_before")
    for statement in (*indexes, *views.values()):
        db.execute(statement)
    table.enable_fts(["answer", "reasoning"], create_triggers=True)  # type: ignore[union-attr]


@migrations()
def readings(db: Database) -> None:
    """Add log-likelihoods of local judges, the trials of batches, and the annotation queue."""
    for statement in _statements(READINGS):
        db.execute(statement)


@migrations()
def references_of_queues(db: Database) -> None:
    """Add the reference judge whose labels defined the strata of the annotation queue."""
    for statement in _statements(REFERENCES):
        db.execute(statement)


@migrations()
def plannings(db: Database) -> None:
    """Add a row for each planning of an experiment: its time and the experiment file."""
    for statement in _statements(PLANNINGS):
        db.execute(statement)


@migrations()
def temperatures(db: Database) -> None:
    """Index trials by temperature, by which tables of rates are split."""
    db.execute("CREATE INDEX trials_by_temperature ON trials (temperature)")


@migrations()
def plannings_in_order(db: Database) -> None:
    """Move the key columns of the plans to the front."""
    for statement in _statements(PLANNINGS_IN_ORDER):
        db.execute(statement)


@migrations()
def conflicts(db: Database) -> None:
    """Add conflicts between merged databases."""
    for statement in _statements(CONFLICTS):
        db.execute(statement)


@migrations()
def plain_names(db: Database) -> None:
    """Rename tables and columns; store judge kinds, rubric hashes and model backends."""
    apply_plain_names(db)


@migrations()
def vectors(db: Database) -> None:
    """Add steering vectors."""
    for statement in _statements(VECTORS):
        db.execute(statement)


@migrations()
def interventions(db: Database) -> None:
    """Add the interventions of conditions and trials."""
    for statement in _statements(INTERVENTIONS):
        db.execute(statement)


@migrations()
def prompt_formats(db: Database) -> None:
    """Add the template and the notes of each experiment's prompts; rename `server_template`."""
    apply_prompt_formats(db)


@migrations()
def control_sets(db: Database) -> None:
    """Add repeated labels of control answers; leave the control set out of the views."""
    for statement in _statements(CONTROL):
        db.execute(statement)


@migrations()
def answer_logliks(db: Database) -> None:
    """Add log-likelihoods of answers under the unsteered model."""
    for statement in _statements(ANSWER_LOGLIKS):
        db.execute(statement)


@migrations()
def agreement_views(db: Database) -> None:
    """Add the times at which people saw the agreement of their labels with a judge's."""
    for statement in _statements(AGREEMENT_VIEWS):
        db.execute(statement)


@migrations()
def condition_ids(db: Database) -> None:
    """Add the id of the condition to the views `answers` and `rates`."""
    for statement in _statements(CONDITION_IDS):
        db.execute(statement)


@cache
def migration_names() -> list[str]:
    """Return the names of all migrations in order."""
    with closing(sqlite3.connect(":memory:")) as db:
        return [migration.name for migration in migrations.pending(Database(db))]


def _statements(script: str) -> list[str]:
    return [s.strip() for s in script.split(";\n") if s.strip()]
