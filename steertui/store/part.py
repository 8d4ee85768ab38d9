"""Copy of a database, or of some of its experiments, in one file without a log."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from steertui.errors import StoreError, shorten
from steertui.store.guard import SQLITE_ERRORS, connect, trust
from steertui.store.intake import tables
from steertui.store.merge import check_copy
from steertui.store.rows import IS_CONTROL_SET, as_json

_KEPT = f"""CREATE TEMP TABLE kept AS
    WITH RECURSIVE needed(experiment) AS (
        SELECT value FROM json_each(?)
        UNION SELECT e.id FROM experiments AS e WHERE {IS_CONTROL_SET}
        UNION SELECT r.experiment FROM needed AS n
            JOIN experiment_trials AS t ON t.experiment = n.experiment
            JOIN (SELECT trial, run FROM generations UNION SELECT trial, run FROM failures) AS g
                ON g.trial = t.trial
            JOIN runs AS r ON r.id = g.run
    ) SELECT experiment FROM needed"""
"""The chosen experiments, the control sets, and those whose runs wrote an answer to one of their
trials."""

_LEFT_OUT = (
    "runs WHERE experiment NOT IN temp.kept",
    "experiments WHERE id NOT IN temp.kept",
    "prompts WHERE sha256 NOT IN (SELECT prompt FROM trials)",
    "scenarios WHERE id NOT IN (SELECT scenario FROM trials)",
    "conditions WHERE id NOT IN (SELECT condition FROM trials)",
    """models WHERE sha256 NOT IN (SELECT model FROM trials)
        AND sha256 NOT IN (SELECT model FROM prompt_formats)""",
    """vectors WHERE NOT EXISTS
        (SELECT 1 FROM trials WHERE instr(steering, vectors.sha256) > 0)""",
    """conflicts WHERE about NOT IN ('models', 'judges') AND subject NOT IN temp.kept
        AND subject NOT IN (SELECT trial FROM experiment_trials)""",
)
"""Rows that nothing refers to any more, in an order that keeps every reference."""


def copy_part(path: Path, target: Path, experiments: Sequence[str] = ()) -> None:
    """Copy a checked database to a new file; with `experiments`, only these and what they need.

    Paths of weights are shortened to file names. Raises StoreError if the database has content that
    steertui does not write, or the copy cannot be written.
    """
    check_copy(path, target)
    try:
        with closing(connect(target)) as db:
            trust(db)
            if experiments:
                _leave_out(db, experiments)
            with db:
                # rtrim leaves the folder: it removes all characters that are no slash.
                db.execute("""UPDATE models
                    SET path = replace(path, rtrim(path, replace(path, '/', '')), '')""")
            db.execute("PRAGMA journal_mode=DELETE")
            db.execute("VACUUM")
    except SQLITE_ERRORS as exc:
        raise StoreError(f"{path}: cannot be copied ({shorten(str(exc))})") from exc


def _leave_out(db: sqlite3.Connection, experiments: Sequence[str]) -> None:
    """Remove the rows of other experiments, first those that refer to others."""
    with db:
        db.execute(_KEPT, [as_json(list(experiments))])
        names = tables(db)
        for parent, kept in (
            ("experiments", "SELECT experiment FROM temp.kept"),
            ("batches", "SELECT mark FROM batches WHERE experiment IN temp.kept"),
            ("trials", "SELECT trial FROM experiment_trials"),
        ):
            for name in reversed(names):
                for column in _references(db, name, parent):
                    if name != "runs":  # answers refer to them
                        db.execute(f"DELETE FROM {name} WHERE {column} NOT IN ({kept})")
        db.execute("DELETE FROM trials WHERE key NOT IN (SELECT trial FROM experiment_trials)")
        for rows in _LEFT_OUT:
            db.execute(f"DELETE FROM {rows}")
        used = [
            f"SELECT {column} FROM {name}"
            for name in names
            for column in _references(db, name, "judges")
        ]
        db.execute(f"DELETE FROM judges WHERE id NOT IN ({' UNION '.join(used)})")


def _references(db: sqlite3.Connection, table: str, parent: str) -> list[str]:
    """Return the columns of a table that refer to another one."""
    keys = db.execute(f"PRAGMA foreign_key_list({table})")
    return [column for _, _, referred, column, *_ in keys if referred == parent]


def detach_log(path: Path) -> None:
    """Make a database one file without a log, such as one to be hashed; nobody has it open."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=DELETE")
