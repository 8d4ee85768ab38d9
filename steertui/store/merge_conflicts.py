"""Conflicts between merged databases: the row in use stays, the other one is recorded.

Times decide nothing, because the sender of a database writes them: an earlier time would replace
answers, a later one a person's labels. The rows of the receiving database stay in use. Conflicting
rows of the other one are stored in the table `conflicts`, which a report mentions.

Every function takes a connection to the receiving database with the other one attached as `other`.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from steertui.core.experiment import Experiment, parse_experiment
from steertui.errors import SteertuiError
from steertui.store.batches import PLANNED, SENT
from steertui.store.rows import as_json, digest, now
from steertui.store.verdicts import L_COLUMNS, P_COLUMNS

P_TOLERANCE = 0.01
"""Largest difference of equal label probabilities; two machines round differently."""

L_TOLERANCE = 0.1
"""Largest difference of equal log-likelihoods of labels."""

MEAN_TOLERANCE = 0.02
"""Largest difference of equal log-likelihoods of answers, in nats per token."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A difference between two databases.

    Attributes:
        about: the table.
        subject: key of the row; for an answer, a label or a queue item, the key of its trial.
        judge: the judge of a label or queue item, "" for other tables.
    """

    about: str
    subject: str
    judge: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A kind of conflict.

    Attributes:
        about: the table.
        sql: query for the subjects and judges of all conflicts.
        where: conditions of the recorded rows by table, with parameters :subject and :judge.
        is_deleted: whether the recorded rows are deleted from the other database, so that they are
            not added. It is not needed if their keys exist in the receiving one, and wrong if both
            rows stay.
    """

    about: str
    sql: str
    where: dict[str, str]
    is_deleted: bool = False


def _differ(*columns: str) -> str:
    ours = ", ".join(f"a.{column}" for column in columns)
    theirs = ", ".join(f"b.{column}" for column in columns)
    return f"({ours}) IS NOT ({theirs})"


def _differ_by(columns: tuple[str, ...], tolerance: float) -> str:
    return " OR ".join(
        f"abs(a.{name} - b.{name}) > {tolerance} OR (a.{name} IS NULL) <> (b.{name} IS NULL)"
        for name in columns
    )


def _keyed(about: str, key: str, *columns: str) -> _Rule:
    """Return the rule of a table with a key column: the other columns differ."""
    sql = f"""SELECT a.{key}, '' FROM main.{about} AS a JOIN other.{about} AS b USING ({key})
        WHERE {_differ(*columns)} ORDER BY 1"""
    return _Rule(about, sql, {about: f"{key} = :subject"})


_TRIAL = "trial = :subject"
_LABEL = "trial = :subject AND judge = :judge"
_PEOPLE = "(SELECT id FROM main.judges WHERE kind = 'human')"

_ANSWERS = replace(
    _keyed("generations", "trial", "text", "reasoning", "answer", "stop"),
    where=dict.fromkeys(
        (
            "generations",
            "server_answers",
            "answer_logliks",
            "verdicts",
            "label_logliks",
            "annotation_queue",
        ),
        _TRIAL,
    ),
    is_deleted=True,
)

_LABELS = _Rule(
    "verdicts",
    f"""SELECT a.trial, a.judge FROM main.verdicts AS a JOIN other.verdicts AS b
        USING (judge, trial) WHERE a.judge NOT IN {_PEOPLE}
        AND a.label IS NOT NULL AND b.label IS NOT NULL
        AND (a.label <> b.label OR {_differ_by(P_COLUMNS, P_TOLERANCE)}) ORDER BY 1, 2""",
    {"verdicts": _LABEL, "label_logliks": _LABEL},
    is_deleted=True,
)

# All labels of a person stay; `keep_in_use` decides which one is in use.
_LABELS_OF_PEOPLE = _Rule(
    "verdicts",
    f"""SELECT a.trial, a.judge FROM main.current_verdicts AS a
        JOIN other.current_verdicts AS b USING (judge, trial)
        WHERE a.judge IN {_PEOPLE} AND a.label IS NOT b.label ORDER BY 1, 2""",
    {"verdicts": _LABEL},
)

_LOGLIKS = _Rule(
    "label_logliks",
    f"""SELECT DISTINCT a.trial, a.judge FROM main.label_logliks AS a JOIN other.label_logliks AS b
        USING (judge, trial, rotation) WHERE {_differ_by(L_COLUMNS, L_TOLERANCE)} ORDER BY 1, 2""",
    {"label_logliks": _LABEL},
    is_deleted=True,
)

_ANSWER_LOGLIKS = _Rule(
    "answer_logliks",
    f"""SELECT a.trial, '' FROM main.answer_logliks AS a JOIN other.answer_logliks AS b
        USING (trial) WHERE {_differ("prompt", "tokens")}
        OR abs(a.loglik - b.loglik) > {MEAN_TOLERANCE} * a.tokens ORDER BY 1""",
    {"answer_logliks": _TRIAL},
)

_QUEUE_ITEMS = _Rule(
    "annotation_queue",
    f"""SELECT a.trial, a.judge FROM main.annotation_queue AS a JOIN other.annotation_queue AS b
        USING (judge, trial) WHERE {_differ("ordering", "reference")} ORDER BY 1, 2""",
    {"annotation_queue": _LABEL},
)

_MODEL = ("name", "size", "title", "architecture", "description", "parameters", "template")

_RULES = (
    _ANSWERS,  # First: labels of a recorded answer are recorded and deleted with it.
    _LABELS,
    _LABELS_OF_PEOPLE,
    _LOGLIKS,
    _ANSWER_LOGLIKS,
    _QUEUE_ITEMS,
    _keyed("trials", "key", "scenario", "condition"),
    _keyed("models", "sha256", *_MODEL),
    _keyed("judges", "id", "name", "settings"),
)

_UPDATE_BATCHES = f"""UPDATE main.batches AS b SET id = o.id, state = o.state, message = o.message
    FROM other.batches AS o WHERE o.mark = b.mark AND (
        b.state = '{PLANNED}' OR b.state = '{SENT}' AND o.state NOT IN ('{PLANNED}', '{SENT}'))"""

_IN_USE = f"""SELECT a.id, a.judge, a.trial FROM main.current_verdicts AS a
    WHERE a.judge IN {_PEOPLE} AND EXISTS (SELECT 1 FROM other.verdicts AS b
        WHERE b.judge = a.judge AND b.trial = a.trial) ORDER BY a.judge, a.trial"""

_LAST = "SELECT max(id) FROM main.verdicts WHERE judge = ? AND trial = ?"


def set_aside(db: sqlite3.Connection, source: str) -> list[Conflict]:
    """Record the rows of `other` that conflict with `main`; return the conflicts.

    Rows that would be added are deleted from `other`. `source` is the name of the other database.
    """
    conflicts = []
    for rule in _RULES:
        for subject, judge in db.execute(rule.sql).fetchall():
            conflict = Conflict(rule.about, subject, judge)
            _record(db, source, conflict, rule.where)
            conflicts.append(conflict)
            for table, where in rule.where.items() if rule.is_deleted else ():
                parameters = {"subject": subject, "judge": judge}
                db.execute(f"DELETE FROM other.{table} WHERE {where}", parameters)
    return [*conflicts, *_set_plans_aside(db, source)]


def _record(
    db: sqlite3.Connection, source: str, conflict: Conflict, where: dict[str, str], **more: str
) -> None:
    parameters = {"subject": conflict.subject, "judge": conflict.judge} | more
    left_out = {
        table: [
            _fields(row)
            for row in db.execute(f"SELECT * FROM other.{table} WHERE {condition}", parameters)
        ]
        for table, condition in where.items()
    }
    content = (conflict.about, conflict.subject, conflict.judge, as_json(left_out))
    sql = "INSERT OR IGNORE INTO main.conflicts VALUES (?, ?, ?, ?, ?, ?, ?)"
    db.execute(sql, [digest(*content), *content, source, now()])


def _fields(row: sqlite3.Row) -> dict[str, object]:
    """Return a row without the numbers that have a meaning in its own database only."""
    return {name: row[name] for name in row.keys() if name not in ("id", "run")}  # noqa: SIM118


def _set_plans_aside(db: sqlite3.Connection, source: str) -> Iterator[Conflict]:
    """Record and delete plans that differ from the newest plan in more than their judges."""
    sql = """SELECT o.experiment, o.created_at, o.toml,
            (SELECT m.toml FROM main.experiment_plans AS m WHERE m.experiment = o.experiment
                ORDER BY m.created_at DESC LIMIT 1) AS newest
        FROM other.experiment_plans AS o WHERE newest IS NOT NULL AND o.toml <> newest
        ORDER BY o.experiment, o.created_at"""
    where = "experiment = :subject AND created_at = :time"
    for experiment, time, toml, newest in db.execute(sql).fetchall():
        if _without_judges(toml) == _without_judges(newest):
            continue
        conflict = Conflict("experiment_plans", experiment)
        _record(db, source, conflict, {"experiment_plans": where}, time=time)
        parameters = {"subject": experiment, "time": time}
        db.execute(f"DELETE FROM other.experiment_plans WHERE {where}", parameters)
        yield conflict


def _without_judges(toml: str) -> Experiment | str:
    """Return an experiment without its judges, or the text itself if it is invalid."""
    try:
        return replace(parse_experiment(toml), judges=[])
    except SteertuiError:
        return toml


def labels_in_use(db: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Return number, judge and trial of people's labels in use for which `other` has one, too."""
    return [(number, judge, trial) for number, judge, trial in db.execute(_IN_USE)]


def keep_in_use(db: sqlite3.Connection, labels: list[tuple[int, str, str]]) -> None:
    """Keep these labels in use after others of the same people were added.

    The label with the largest number is in use, so they get new numbers.
    """
    for number, judge, trial in labels:
        ((last,),) = db.execute(_LAST, [judge, trial]).fetchall()
        if last > number:
            sql = """UPDATE main.verdicts SET id = (SELECT max(id) + 1 FROM main.verdicts)
                WHERE id = ?"""
            db.execute(sql, [number])


def update_batches(db: sqlite3.Connection) -> None:
    """Update pending batches to a later state in the other database."""
    db.execute(_UPDATE_BATCHES)
