"""Migration that adds the formats of prompts and renames the experiment key `server_template`."""

import json
from typing import Any

from steertui.store.database import Database
from steertui.store.plain_names_migration import renamed_toml
from steertui.store.rows import as_json, digest

_STATEMENTS = (
    """CREATE TABLE prompt_formats (
        experiment TEXT NOT NULL REFERENCES experiments(id),
        model TEXT NOT NULL REFERENCES models(sha256),
        template_sha256 TEXT NOT NULL,
        template TEXT NOT NULL,
        notes TEXT NOT NULL,
        PRIMARY KEY (experiment, model)
    ) WITHOUT ROWID""",
    "UPDATE experiments SET toml = steertui_renamed(toml)",
    "UPDATE experiment_plans SET toml = steertui_renamed(toml)",
)


def apply_prompt_formats(db: Database) -> None:
    """Add the table and rename the key in every stored experiment file."""
    db.conn.create_function("steertui_renamed", 1, renamed_toml, deterministic=True)
    for statement in _STATEMENTS:
        db.execute(statement)
    _rename_conflicts(db)


def _rename_conflicts(db: Database) -> None:
    """Rename the key in plans that a merge left out; a conflict's id is a hash of its rows."""
    sql = """SELECT id, about, subject, judge, left_out FROM conflicts
        WHERE about = 'experiment_plans'"""
    for identity, about, subject, judge, left_out in db.execute(sql).fetchall():
        rows: dict[str, list[dict[str, Any]]] = json.loads(left_out)
        for row in rows.get("experiment_plans", []):
            row["toml"] = renamed_toml(row["toml"])
        renamed = as_json(rows)
        update = "UPDATE conflicts SET id = ?, left_out = ? WHERE id = ?"
        db.execute(update, [digest(about, subject, judge, renamed), renamed, identity])
