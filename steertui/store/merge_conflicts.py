"""What two databases say differently of one thing: the row in use stays, the other is recorded.

Times decide nothing here, since whoever sends a database writes its times: with an earlier one they
would replace answers, with a later one a person's labels. What the receiving database holds stays
in use, and what another says otherwise is kept in the table `conflicts`, which a report mentions.

Every function takes a connection with the one database as `main`, the other attached as `other`.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace

from steertui.core.experiment import Experiment, parse_experiment
from steertui.errors import SteertuiError
from steertui.store.batches import PLANNED, SENT
from steertui.store.rows import as_json, digest, now
from steertui.store.verdicts import L_COLUMNS, P_COLUMNS

NOISE_P, NOISE_L = 0.01, 0.1
"""Differences of a local judge's likelihoods, and of their logarithms, up to which they are equal:
kernels of two machines round differently."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A thing of which the other database says otherwise.

    Attributes:
        about: the table.
        subject: the key of the row; of an answer, a label or a queue the trial's.
        judge: whose label; "" where none is concerned.
    """

    about: str
    subject: str
    judge: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a kind of conflict is found.

    Attributes:
        sql: returns subject and judge.
        where: by table the rows that are recorded, of :subject and :judge.
        drops: whether they are not added: not where the other's rows are ignored anyway, since
            they have a key, nor where both stay.
    """

    about: str
    sql: str
    where: dict[str, str]
    drops: bool = False


def _differ(*columns: str) -> str:
    ours, theirs = (", ".join(f"{side}.{c}" for c in columns) for side in "ab")
    return f"({ours}) IS NOT ({theirs})"


def _apart(columns: tuple[str, ...], noise: float) -> str:
    pairs = (f"abs(a.{c} - b.{c}) > {noise} OR (a.{c} IS NULL) <> (b.{c} IS NULL)" for c in columns)
    return " OR ".join(pairs)


def _keyed(about: str, key: str, *columns: str) -> _Rule:
    """Return the rule for a table of which one row has one key."""
    sql = f"""SELECT a.{key}, '' FROM main.{about} AS a JOIN other.{about} AS b USING ({key})
        WHERE {_differ(*columns)} ORDER BY 1"""
    return _Rule(about, sql, {about: f"{key} = :subject"})


_TRIAL = "trial = :subject"
_LABEL = "trial = :subject AND judge = :judge"
_PEOPLE = "(SELECT id FROM main.judges WHERE kind = 'human')"

_ANSWERS = replace(
    _keyed("generations", "trial", "text", "reasoning", "answer", "stop"),
    where=dict.fromkeys(
        ("generations", "server_answers", "verdicts", "label_logliks", "annotation_queue"), _TRIAL
    ),
    drops=True,
)

_LABELS = _Rule(
    "verdicts",
    f"""SELECT a.trial, a.judge FROM main.verdicts AS a JOIN other.verdicts AS b
        USING (judge, trial) WHERE a.judge NOT IN {_PEOPLE}
        AND a.label IS NOT NULL AND b.label IS NOT NULL
        AND (a.label <> b.label OR {_apart(P_COLUMNS, NOISE_P)}) ORDER BY 1, 2""",
    {"verdicts": _LABEL, "label_logliks": _LABEL},
    drops=True,
)

# A person's labels all stay, and the one in use stays in use: see `keep_in_use`.
_OWN_LABELS = _Rule(
    "verdicts",
    f"""SELECT a.trial, a.judge FROM main.current_verdicts AS a
        JOIN other.current_verdicts AS b USING (judge, trial)
        WHERE a.judge IN {_PEOPLE} AND a.label IS NOT b.label ORDER BY 1, 2""",
    {"verdicts": _LABEL},
)

_READINGS = _Rule(
    "label_logliks",
    f"""SELECT DISTINCT a.trial, a.judge FROM main.label_logliks AS a JOIN other.label_logliks AS b
        USING (judge, trial, rotation) WHERE {_apart(L_COLUMNS, NOISE_L)} ORDER BY 1, 2""",
    {"label_logliks": _LABEL},
    drops=True,
)

_QUEUES = _Rule(
    "annotation_queue",
    f"""SELECT a.trial, a.judge FROM main.annotation_queue AS a JOIN other.annotation_queue AS b
        USING (judge, trial) WHERE {_differ("ordering", "reference")} ORDER BY 1, 2""",
    {"annotation_queue": _LABEL},
)

_MODEL = ("name", "size", "title", "architecture", "description", "parameters", "template")

_RULES = (
    _ANSWERS,  # first, since with an answer goes what was said of it
    _LABELS,
    _OWN_LABELS,
    _READINGS,
    _QUEUES,
    _keyed("trials", "key", "scenario", "condition"),
    _keyed("models", "sha256", *_MODEL),
    _keyed("judges", "id", "name", "settings"),
)

_STATES = f"""UPDATE main.batches AS b SET id = o.id, state = o.state, message = o.message
    FROM other.batches AS o WHERE o.mark = b.mark AND (
        b.state = '{PLANNED}' OR b.state = '{SENT}' AND o.state NOT IN ('{PLANNED}', '{SENT}'))"""

_IN_USE = f"""SELECT a.id, a.judge, a.trial FROM main.current_verdicts AS a
    WHERE a.judge IN {_PEOPLE} AND EXISTS (SELECT 1 FROM other.verdicts AS b
        WHERE b.judge = a.judge AND b.trial = a.trial) ORDER BY a.judge, a.trial"""

_LAST = "SELECT max(id) FROM main.verdicts WHERE judge = ? AND trial = ?"


def set_aside(db: sqlite3.Connection, source: str) -> list[Conflict]:
    """Record what `other` says otherwise than `main`, and drop it from `other` where it would be
    added; return the conflicts. `source` names the other database."""
    found = []
    for rule in _RULES:
        for subject, judge in db.execute(rule.sql).fetchall():
            conflict = Conflict(rule.about, subject, judge)
            _record(db, source, conflict, rule.where)
            found.append(conflict)
            for table, where in rule.where.items() if rule.drops else ():
                values = {"subject": subject, "judge": judge}
                db.execute(f"DELETE FROM other.{table} WHERE {where}", values)
    return [*found, *_set_plans_aside(db, source)]


def _record(
    db: sqlite3.Connection, source: str, conflict: Conflict, where: dict[str, str], **more: str
) -> None:
    values = {"subject": conflict.subject, "judge": conflict.judge} | more
    left_out = {
        table: [
            _fields(row) for row in db.execute(f"SELECT * FROM other.{table} WHERE {of}", values)
        ]
        for table, of in where.items()
    }
    content = (conflict.about, conflict.subject, conflict.judge, as_json(left_out))
    sql = "INSERT OR IGNORE INTO main.conflicts VALUES (?, ?, ?, ?, ?, ?, ?)"
    db.execute(sql, [digest(*content), *content, source, now()])


def _fields(row: sqlite3.Row) -> dict[str, object]:
    """Return a row without the numbers that it has in its own database only."""
    return {name: row[name] for name in row.keys() if name not in ("id", "run")}  # noqa: SIM118


def _set_plans_aside(db: sqlite3.Connection, source: str) -> Iterator[Conflict]:
    """Record experiment files that ask for something else than the one in use; such as name other
    judges only are added."""
    sql = """SELECT o.experiment, o.created_at, o.toml,
            (SELECT m.toml FROM main.experiment_plans AS m WHERE m.experiment = o.experiment
                ORDER BY m.created_at DESC LIMIT 1) AS own
        FROM other.experiment_plans AS o WHERE own IS NOT NULL AND o.toml <> own
        ORDER BY o.experiment, o.created_at"""
    where = "experiment = :subject AND created_at = :time"
    for experiment, time, toml, own in db.execute(sql).fetchall():
        if _asked(toml) == _asked(own):
            continue
        conflict = Conflict("experiment_plans", experiment)
        _record(db, source, conflict, {"experiment_plans": where}, time=time)
        db.execute(
            f"DELETE FROM other.experiment_plans WHERE {where}",
            {"subject": experiment, "time": time},
        )
        yield conflict


def _asked(toml: str) -> Experiment | str:
    """Return what a file asks for apart from judges; the text itself where it cannot be read."""
    try:
        return replace(parse_experiment(toml), judges=[])
    except SteertuiError:
        return toml


def labels_in_use(db: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Return number, judge and trial of every person's label in use that `other` has one beside."""
    return [(number, judge, trial) for number, judge, trial in db.execute(_IN_USE)]


def keep_in_use(db: sqlite3.Connection, labels: list[tuple[int, str, str]]) -> None:
    """Let these labels stay in use, of which the last counts, after others of that person were
    added: they get a number behind theirs."""
    for number, judge, trial in labels:
        ((last,),) = db.execute(_LAST, [judge, trial]).fetchall()
        if last > number:
            sql = (
                "UPDATE main.verdicts SET id = (SELECT max(id) + 1 FROM main.verdicts) WHERE id = ?"
            )
            db.execute(sql, [number])


def later_states(db: sqlite3.Connection) -> None:
    """Bring batches on to where the other database saw them."""
    db.execute(_STATES)
