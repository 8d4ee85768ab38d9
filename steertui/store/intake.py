"""Checks on the rows of a database before a merge: values, references and content hashes.

Ids that are hashes of content are computed again. Otherwise a prompt, scenario or condition with a
forged id would assign genuine answers to another text.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from steertui.core.condition import stored_condition
from steertui.core.interventions import parse_interventions
from steertui.core.judge_kind import parse_judge_kind, settings_digest
from steertui.core.model import (
    BATCH_MARK,
    CONTROL_PREFIX,
    IMPORTED_PREFIX,
    imported_identity,
    parse_model_backend,
)
from steertui.core.trial import content_key
from steertui.errors import ScenarioError, StoreError, shorten
from steertui.store.guard import check_schema, connect
from steertui.store.rows import condition_digest, digest, stored_rubric_digest
from steertui.store.schema import answer_digest

_TYPES: dict[str, tuple[type, ...]] = {
    "TEXT": (str, type(None)),
    "INTEGER": (int, type(None)),
    "REAL": (float, type(None)),
    "BLOB": (bytes, type(None)),
}
"""Python types of values by the type of their column; the integrity check covers NOT NULL."""

_JSON_COLUMNS = frozenset({"settings", "versions", "sampling", "notes"})

Row = tuple[Any, ...]


def check_values(path: Path, copy: Path) -> None:
    """Raise StoreError, with table and row, for a value that steertui does not write.

    Args:
        path: the file that messages name.
        copy: the database to check, of any schema version.
    """
    with closing(connect(copy)) as db:
        check_schema(db, path)
        db.text_factory = _text
        for table in tables(db):
            _check_table(db, path, table)


def check_content(path: Path, copy: Path) -> None:
    """Raise StoreError for damage, a missing row, or an id that is a wrong hash.

    `copy` has the present schema; `path` is the file that messages name.
    """
    with closing(connect(copy)) as db:
        for (message,) in db.execute("PRAGMA integrity_check(1)"):
            if message != "ok":
                raise StoreError(f"{path}: is damaged ({shorten(str(message))}); {_REMEDY}")
        for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
            raise _invalid(path, table, row or "?", f"refers to a row that is not in {parent}")
        for table, row in db.execute(_WITHOUT_ANSWER):
            raise _invalid(path, table, row, "is about a trial that has no answer")
        for table, (sql, matches) in _HASHED.items():
            for row in db.execute(sql):
                if not matches(row):
                    raise _invalid(path, table, row[0], "its content does not match its id")


def require_intact(path: Path, cause: BaseException) -> None:
    """Raise StoreError from `cause` if the database has a value that steertui does not write."""
    try:
        check_values(path, path)
        check_content(path, path)
    except StoreError as exc:
        raise exc from cause


def tables(db: sqlite3.Connection) -> list[str]:
    """Return the names of steertui's tables, each after the tables that it refers to."""
    sql = """SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE '%\\_fts%' ESCAPE '\\'"""
    names = [row[0] for row in db.execute(sql)]
    needs = {n: {r[2] for r in db.execute(f"PRAGMA foreign_key_list({n})")} for n in names}
    ordered: list[str] = []
    while len(ordered) < len(names):
        ordered += [n for n in names if n not in ordered and needs[n] - {n} <= set(ordered)]
    return ordered


_REMEDY = "ask for the database as steertui wrote it, or restore a copy"


def _invalid(path: Path, table: str, row: object, what: str) -> StoreError:
    name = row if isinstance(row, int) else ascii(row)[1:-1][:60]
    return StoreError(f"{path}: table {table}, row {name}: {what}; {_REMEDY}")


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _check_table(db: sqlite3.Connection, path: Path, table: str) -> None:
    """Check types, which SQLite does not enforce, and text encoding, times and JSON."""
    info = [*db.execute(f"PRAGMA table_info({table})")]
    names = [row[1] for row in info]
    types = [_TYPES[row[2]] for row in info]
    key = next((row[0] for row in info if row[5] == 1), 0)
    times = [i for i, name in enumerate(names) if name.endswith("_at")]
    objects = [i for i, name in enumerate(names) if name in _JSON_COLUMNS]
    checked: set[Row] = set()
    for row in db.execute(f"SELECT * FROM {table}"):
        shape = tuple(map(type, row))
        if shape not in checked:
            for name, expected, value in zip(names, types, row, strict=True):
                if not isinstance(value, expected):
                    raise _invalid(path, table, row[key], _type_error(name, value))
            checked.add(shape)
        for i in times:
            if not _is_time(row[i]):
                raise _invalid(path, table, row[key], f"{names[i]} is not a time with a time zone")
        for i in objects:
            if not _is_json(row[i]):
                raise _invalid(path, table, row[key], f"{names[i]} is not JSON")


def _type_error(name: str, value: object) -> str:
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
        _parse_json(text or "")
    except (ValueError, RecursionError):
        return False
    return True


@lru_cache(maxsize=64)
def _parse_json(text: str) -> Any:
    """Return parsed JSON, not to be changed; a hundred thousand trials have few samplings."""
    return json.loads(text)


def _matches_text(row: Row) -> bool:
    # NUL separates the parts of a digest, so a text with a NUL could imitate two texts.
    return row[0] == digest(*row[1:]) and not any("\0" in text for text in row[1:])


def _matches_condition(row: Row) -> bool:
    identity, *texts = row
    if identity != condition_digest(*texts) or any("\0" in text for text in texts):
        return False
    try:
        return bool(stored_condition(*texts).spec == texts[-1])
    except ScenarioError:
        return False


def _matches_trial(row: Row) -> bool:
    key, temperature, model, scenario, condition, prompt, sampling, sample, steered = row
    parameters = _parse_json(sampling)
    try:
        interventions = parse_interventions(steered)
    except (ValueError, TypeError, KeyError, OverflowError):
        return False
    if not isinstance(parameters, dict) or parameters.get("temperature") != temperature:
        return False
    computed = content_key(
        model=model,
        scenario=scenario,
        condition=condition,
        prompt=prompt,
        sampling=parameters,
        sample=sample,
        interventions=interventions,
    )
    return bool(key == computed)


def _matches_model(row: Row) -> bool:
    identity, name, template, template_digest, origin, backend = row
    if parse_model_backend(identity, origin).value != backend:
        return False
    if template and sha256(template.encode()).hexdigest() != template_digest:
        return False
    if identity.startswith(IMPORTED_PREFIX):
        return bool(identity.partition(BATCH_MARK)[0] == imported_identity(name))
    return bool(re.fullmatch(f"({CONTROL_PREFIX})?[0-9a-f]{{64}}", identity))


def _matches_judge(row: Row) -> bool:
    identity, name, text, kind, rubric = row
    if (kind, rubric) != (parse_judge_kind(identity).value, stored_rubric_digest(text)):
        return False
    settings = _parse_json(text)
    name_in_id, _, mark = identity.rpartition("#")
    if not isinstance(settings, dict) or not isinstance(settings.get("title"), str):
        return False
    computed = settings_digest(settings)
    is_named = name in (identity, name_in_id)
    return bool(is_named and computed in ("", mark.partition(".")[0]))


def _matches_conflict(row: Row) -> bool:
    return bool(row[0] == digest(*row[1:]))


def _matches_experiment(row: Row) -> bool:
    identity, keys = row
    return bool(identity == digest(*(keys or "").split())[:16])


_TRIALS = """SELECT t.key, t.temperature, t.model, s.name, c.name, p.text, t.sampling, t.sample,
        t.steering
    FROM trials AS t JOIN scenarios AS s ON s.id = t.scenario
    JOIN conditions AS c ON c.id = t.condition JOIN prompts AS p ON p.sha256 = t.prompt"""

_EXPERIMENTS = """SELECT e.id, (SELECT group_concat(trial, ' ') FROM
        (SELECT trial FROM experiment_trials WHERE experiment = e.id ORDER BY place))
    FROM experiments AS e"""

_WITHOUT_ANSWER = """SELECT 'verdicts', id FROM verdicts
        WHERE trial NOT IN (SELECT trial FROM generations)
    UNION ALL SELECT 'answer_logliks', trial FROM answer_logliks
        WHERE trial NOT IN (SELECT trial FROM generations) LIMIT 1"""

_HASHED: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "models": (
        "SELECT sha256, name, template, template_sha256, origin, backend FROM models",
        _matches_model,
    ),
    "prompt_formats": (
        "SELECT experiment, template, template_sha256 FROM prompt_formats",
        lambda row: not row[1] or sha256(row[1].encode()).hexdigest() == row[2],
    ),
    "scenarios": ("SELECT id, name, category, title, task, system FROM scenarios", _matches_text),
    "conditions": (
        "SELECT id, name, suffix, about, spec FROM conditions",
        _matches_condition,
    ),
    "prompts": ("SELECT sha256, text FROM prompts", lambda row: bool(row[0] == digest(row[1]))),
    "trials": (_TRIALS, _matches_trial),
    "experiments": (_EXPERIMENTS, _matches_experiment),
    "judges": ("SELECT id, name, settings, kind, rubric_sha256 FROM judges", _matches_judge),
    "generations": (
        "SELECT trial, answer_digest, answer FROM generations",
        lambda row: bool(row[1] == answer_digest(row[2])),
    ),
    "vectors": (
        "SELECT sha256, content FROM vectors",
        lambda row: bool(row[0] == sha256(row[1]).hexdigest()),
    ),
    "conflicts": ("SELECT id, about, subject, judge, left_out FROM conflicts", _matches_conflict),
}
"""Query and check by table; the first column of a row identifies it in a message."""
