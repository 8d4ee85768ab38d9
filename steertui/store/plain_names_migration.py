"""Migration that renames tables, columns and stored keys, and stores kinds as columns.

Stored hashes stay valid: sampling parameters and judge settings are not touched. Conflicts are
named by a hash of their rows, so that a repeated merge finds them; they are rewritten with it.
"""

import json
import tomllib
from collections.abc import Callable
from typing import Any

import tomli_w

from steertui.core.experiment import rename_keys
from steertui.core.judge_kind import parse_judge_kind
from steertui.core.model import parse_model_backend
from steertui.store.database import Database
from steertui.store.rows import as_json, digest, stored_rubric_digest

_TABLES = """
CREATE TABLE label_logliks (
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT NOT NULL REFERENCES trials(key),
    rotation INTEGER NOT NULL,
    l_convergence REAL NOT NULL,
    l_no_convergence REAL NOT NULL,
    l_safety_refusal REAL NOT NULL,
    l_nonsensical REAL NOT NULL,
    PRIMARY KEY (judge, trial, rotation)
) WITHOUT ROWID;
INSERT INTO label_logliks SELECT judge, trial, turn, l_convergence, l_no_convergence,
    l_safety_refusal, l_nonsensical FROM readings;
DROP TABLE readings;

CREATE TABLE server_answers (
    trial TEXT PRIMARY KEY REFERENCES trials(key),
    url TEXT NOT NULL,
    prompt_mode TEXT NOT NULL CHECK (prompt_mode IN ('prompt', 'messages')),
    model TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    attempts INTEGER NOT NULL
);
INSERT INTO server_answers SELECT trial, url, form, model, fingerprint, request, tries
    FROM deliveries ORDER BY rowid;
DROP TABLE deliveries;

CREATE TABLE annotation_queue (
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT NOT NULL REFERENCES trials(key),
    ordering TEXT NOT NULL CHECK (ordering IN ('uncertain', 'random')),
    reference TEXT NOT NULL,
    PRIMARY KEY (judge, trial)
) WITHOUT ROWID;
INSERT INTO annotation_queue SELECT judge, trial,
    CASE queue WHEN 'doubtful' THEN 'uncertain' ELSE queue END, reference FROM hand_queue;
DROP TABLE hand_queue;

CREATE TABLE experiment_plans (
    experiment TEXT NOT NULL REFERENCES experiments(id),
    created_at TEXT NOT NULL,
    toml TEXT NOT NULL,
    PRIMARY KEY (experiment, created_at)
) WITHOUT ROWID;
INSERT INTO experiment_plans SELECT experiment, created_at, steertui_renamed(toml) FROM plannings;
DROP TABLE plannings;
UPDATE experiments SET toml = steertui_renamed(toml);

CREATE TABLE judge_replies (
    id INTEGER PRIMARY KEY,
    judge TEXT NOT NULL REFERENCES judges(id),
    trial TEXT REFERENCES trials(key),
    request_format TEXT NOT NULL,
    model TEXT NOT NULL,
    request_id TEXT NOT NULL,
    text TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    dollars REAL,
    created_at TEXT NOT NULL
);
INSERT INTO judge_replies SELECT id, judge, trial, way, model, request, text, input_tokens,
    cached_tokens, output_tokens, dollars, created_at FROM replies ORDER BY id;
DROP TABLE replies;
CREATE INDEX judge_replies_by_judge ON judge_replies (judge, trial);

ALTER TABLE batches RENAME COLUMN way TO request_format;
ALTER TABLE batches RENAME COLUMN said TO message;

ALTER TABLE judges ADD COLUMN kind TEXT NOT NULL DEFAULT 'other';
ALTER TABLE judges ADD COLUMN rubric_sha256 TEXT NOT NULL DEFAULT '';
UPDATE judges SET kind = steertui_kind(id), rubric_sha256 = steertui_rubric(settings);
ALTER TABLE models ADD COLUMN backend TEXT NOT NULL DEFAULT 'gguf';
UPDATE models SET backend = steertui_backend(sha256, origin);
"""

_TABLE_NAMES = {
    "readings": "label_logliks",
    "deliveries": "server_answers",
    "hand_queue": "annotation_queue",
    "plannings": "experiment_plans",
}
"""New name of a table by its old one, of those whose rows a conflict can hold."""

_COLUMN_NAMES = {
    "readings": {"turn": "rotation"},
    "deliveries": {"form": "prompt_mode", "request": "request_id", "tries": "attempts"},
    "hand_queue": {"queue": "ordering"},
}
"""New name of a column by its old one, by the old name of the table."""


def apply_plain_names(db: Database) -> None:
    """Rename everything in the database."""
    functions: dict[str, tuple[int, Callable[..., str]]] = {
        "steertui_renamed": (1, renamed_toml),
        "steertui_kind": (1, lambda judge: parse_judge_kind(judge).value),
        "steertui_rubric": (1, stored_rubric_digest),
        "steertui_backend": (2, lambda model, origin: parse_model_backend(model, origin).value),
    }
    for name, (arguments, function) in functions.items():
        db.conn.create_function(name, arguments, function, deterministic=True)
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement.strip())
    _rename_conflicts(db)


def renamed_toml(text: str) -> str:
    """Return an experiment's TOML text with today's keys, or unchanged if it is invalid."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError):
        return text
    renamed = rename_keys(table)
    return text if renamed == table else tomli_w.dumps(renamed)


def _rename_conflicts(db: Database) -> None:
    sql = "UPDATE conflicts SET id = ?, about = ?, left_out = ? WHERE id = ?"
    rows = db.execute("SELECT id, about, subject, judge, left_out FROM conflicts").fetchall()
    for identity, about, subject, judge, left_out in rows:
        new_about = _TABLE_NAMES.get(about, about)
        tables = json.loads(left_out)
        renamed = as_json(
            {
                _TABLE_NAMES.get(table, table): [_renamed_row(table, row, subject) for row in rows]
                for table, rows in tables.items()
            }
        )
        new_identity = digest(new_about, subject, judge, renamed)
        db.execute(sql, [new_identity, new_about, renamed, identity])


def _renamed_row(table: str, row: dict[str, Any], subject: str) -> dict[str, Any]:
    """Return a row of a conflict as the merge of today would record it."""
    names = _COLUMN_NAMES.get(table, {})
    renamed = {names.get(column, column): value for column, value in row.items()}
    if table == "hand_queue" and renamed["ordering"] == "doubtful":
        renamed["ordering"] = "uncertain"
    if table == "plannings":
        renamed["toml"] = renamed_toml(renamed["toml"])
    if table == "judges":
        renamed["kind"] = parse_judge_kind(subject).value
        renamed["rubric_sha256"] = stored_rubric_digest(renamed["settings"])
    if table == "models":
        renamed["backend"] = parse_model_backend(subject, renamed["origin"]).value
    return renamed
