"""Checks on the rows of a database that is to be merged: values, references and content hashes.

Whatever is named by a hash of its content is hashed again here: a prompt, a scenario or a condition
under a forged id would put honest answers under another text.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from steertui.core.judge_kind import parse_judge_kind, settings_digest
from steertui.core.model import BATCH_MARK, IMPORTED_PREFIX, imported_identity, parse_model_backend
from steertui.core.trial import content_key
from steertui.errors import StoreError
from steertui.store.guard import check_schema, connect
from steertui.store.rows import digest, stored_rubric_digest
from steertui.store.schema import answer_digest

_TYPES: dict[str, tuple[type, ...]] = {
    "TEXT": (str, type(None)),
    "INTEGER": (int, type(None)),
    "REAL": (float, type(None)),
}
"""What SQLite returns for a column of a type; NOT NULL is for its integrity check."""

Row = tuple[Any, ...]


def check_values(path: Path, copy: Path) -> None:
    """Raise StoreError, which names table and row, for a value that steertui does not write.

    `copy` is of any version's schema, which is compared first; `path` is the file that a message
    is about.
    """
    with closing(connect(copy)) as db:
        check_schema(db, path)
        db.text_factory = _text
        for table in tables(db):
            _check_table(db, path, table)


def check_content(path: Path, copy: Path) -> None:
    """Raise StoreError where a copy of today's schema is damaged, where a row refers to one that
    is not there, and where a row's id is not the hash of its content."""
    with closing(connect(copy)) as db:
        for (said,) in db.execute("PRAGMA integrity_check(1)"):
            if said != "ok":
                raise StoreError(f"{path}: is damaged ({said}); {_AGAIN}")
        for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
            raise _wrong(path, table, row or "?", f"refers to a row that is not in {parent}")
        for table, (sql, fits) in _HASHED.items():
            for row in db.execute(sql):
                if not fits(row):
                    raise _wrong(path, table, row[0], "its content is not that of its id")


def tables(db: sqlite3.Connection) -> list[str]:
    """Return the tables of steertui, those that others refer to first."""
    sql = """SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE '%\\_fts%' ESCAPE '\\'"""
    names = [row[0] for row in db.execute(sql)]
    needs = {n: {r[2] for r in db.execute(f"PRAGMA foreign_key_list({n})")} for n in names}
    ordered: list[str] = []
    while len(ordered) < len(names):
        ordered += [n for n in names if n not in ordered and needs[n] - {n} <= set(ordered)]
    return ordered


_AGAIN = "nothing was merged; ask for the database as steertui wrote it"


def _wrong(path: Path, table: str, row: object, what: str) -> StoreError:
    name = row if isinstance(row, int) else ascii(row)[1:-1][:60]
    return StoreError(f"{path}: table {table}, row {name}: {what}; {_AGAIN}")


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _check_table(db: sqlite3.Connection, path: Path, table: str) -> None:
    """Check types, which SQLite does not hold a value to, and encoding, times and JSON."""
    told = [*db.execute(f"PRAGMA table_info({table})")]
    names = [row[1] for row in told]
    kinds = [_TYPES[row[2]] for row in told]
    key = next((row[0] for row in told if row[5] == 1), 0)
    times = [i for i, name in enumerate(names) if name.endswith("_at")]
    objects = [i for i, name in enumerate(names) if name in ("settings", "versions", "sampling")]
    seen: set[Row] = set()
    for row in db.execute(f"SELECT * FROM {table}"):
        shape = tuple(map(type, row))
        if shape not in seen:
            for name, kind, value in zip(names, kinds, row, strict=True):
                if not isinstance(value, kind):
                    what = _mistyped(name, value)
                    raise _wrong(path, table, row[key], what)
            seen.add(shape)
        for i in times:
            if not _is_time(row[i]):
                raise _wrong(path, table, row[key], f"{names[i]} is no time with a time zone")
        for i in objects:
            if not _is_json(row[i]):
                raise _wrong(path, table, row[key], f"{names[i]} is not JSON")


def _mistyped(name: str, value: object) -> str:
    if isinstance(value, bytes):
        return f"{name} is not UTF-8 text"
    return f"{name} is of another type than its column"


def _is_time(text: str | None) -> bool:
    try:
        return datetime.fromisoformat(text or "").tzinfo is not None
    except ValueError:
        return False


def _is_json(text: str | None) -> bool:
    try:
        json.loads(text or "")
    except (ValueError, RecursionError):
        return False
    return True


def _fits_text(row: Row) -> bool:
    # A NUL sets a digest's parts apart, so a text that holds one could stand for two.
    return row[0] == digest(*row[1:]) and not any("\0" in text for text in row[1:])


def _fits_trial(row: Row) -> bool:
    key, temperature, model, scenario, condition, prompt, sampling, sample = row
    drawn = json.loads(sampling)
    if not isinstance(drawn, dict) or drawn.get("temperature") != temperature:
        return False
    return bool(key == content_key(model, scenario, condition, prompt, drawn, sample))


def _fits_model(row: Row) -> bool:
    identity, name, template, template_digest, origin, backend = row
    if parse_model_backend(identity, origin).value != backend:
        return False
    if template and sha256(template.encode()).hexdigest() != template_digest:
        return False
    if identity.startswith(IMPORTED_PREFIX):
        return bool(identity.partition(BATCH_MARK)[0] == imported_identity(name))
    return bool(re.fullmatch("[0-9a-f]{64}", identity))


def _fits_judge(row: Row) -> bool:
    identity, name, text, kind, rubric = row
    if (kind, rubric) != (parse_judge_kind(identity).value, stored_rubric_digest(text)):
        return False
    settings = json.loads(text)
    before, _, mark = identity.rpartition("#")
    if not isinstance(settings, dict) or not isinstance(settings.get("title"), str):
        return False
    computed = settings_digest(settings)
    is_named = name in (identity, before)
    return bool(is_named and computed in ("", mark.partition(".")[0]))


def _fits_conflict(row: Row) -> bool:
    return bool(row[0] == digest(*row[1:]))


def _fits_experiment(row: Row) -> bool:
    identity, keys = row
    return bool(identity == digest(*(keys or "").split())[:16])


_TRIALS = """SELECT t.key, t.temperature, t.model, s.name, c.name, p.text, t.sampling, t.sample
    FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario
    JOIN conditions AS c ON c.id = t.condition JOIN prompts AS p ON p.sha256 = t.prompt"""

_EXPERIMENTS = """SELECT e.id, (SELECT group_concat(trial, ' ') FROM
        (SELECT trial FROM experiment_trials WHERE experiment = e.id ORDER BY place))
    FROM experiments AS e"""

_HASHED: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "models": (
        "SELECT sha256, name, template, template_sha256, origin, backend FROM models",
        _fits_model,
    ),
    "scenarios": ("SELECT id, name, category, title, task, system FROM scenarios", _fits_text),
    "conditions": ("SELECT id, name, suffix, about FROM conditions", _fits_text),
    "prompts": ("SELECT sha256, text FROM prompts", lambda row: bool(row[0] == digest(row[1]))),
    "trials": (_TRIALS, _fits_trial),
    "experiments": (_EXPERIMENTS, _fits_experiment),
    "judges": ("SELECT id, name, settings, kind, rubric_sha256 FROM judges", _fits_judge),
    "generations": (
        "SELECT trial, answer_digest, answer FROM generations",
        lambda row: bool(row[1] == answer_digest(row[2])),
    ),
    "conflicts": ("SELECT id, about, subject, judge, left_out FROM conflicts", _fits_conflict),
}
"""By table the rows to hash, each with its name first, and what hashes one."""
