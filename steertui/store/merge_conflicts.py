"""What two databases say differently of one thing: one of it stays, whatever the order of merging.

Every function takes a connection with the one database as `main`, the other attached as `other`.
"""

import sqlite3
from collections import Counter

from steertui.store.batches import PLANNED, SENT

_ANSWERS = """SELECT a.trial, (b.created_at, b.text) < (a.created_at, a.text)
    FROM main.generations AS a JOIN other.generations AS b USING (trial)
    WHERE a.text <> b.text ORDER BY a.trial"""

_OF_AN_ANSWER = ("readings", "verdicts", "hand_queue", "generations", "deliveries")

# A person's labels all stay, and the last one counts.
_LABELS = """SELECT a.judge, a.trial, a.label <> b.label,
        (b.created_at, b.label, b.reason) < (a.created_at, a.label, a.reason)
    FROM main.verdicts AS a JOIN other.verdicts AS b USING (judge, trial)
    WHERE a.judge NOT LIKE 'human:%' AND a.label IS NOT NULL AND b.label IS NOT NULL
        AND (a.created_at, a.label, a.reason) <> (b.created_at, b.label, b.reason)"""

# Drawn at random in one of them is drawn at random.
_QUEUES = """SELECT a.judge, a.trial, (a.queue, b.reference) < (b.queue, a.reference)
    FROM main.hand_queue AS a JOIN other.hand_queue AS b USING (judge, trial)
    WHERE (a.queue, a.reference) <> (b.queue, b.reference)"""

_WORDS = """UPDATE main.trials AS t
    SET scenario = o.scenario, condition = o.condition, planned_at = o.planned_at
    FROM other.trials AS o WHERE o.key = t.key
        AND (o.planned_at, o.scenario, o.condition) > (t.planned_at, t.scenario, t.condition)"""

_STATES = f"""UPDATE main.batches AS b SET id = o.id, state = o.state, said = o.said
    FROM other.batches AS o WHERE o.mark = b.mark AND (
        b.state = '{PLANNED}' OR b.state = '{SENT}' AND o.state NOT IN ('{PLANNED}', '{SENT}'))"""

_OUT_OF_ORDER = """SELECT DISTINCT a.judge, a.trial FROM main.verdicts AS a
    JOIN main.verdicts AS b USING (judge, trial)
    WHERE a.judge LIKE 'human:%' AND a.id < b.id
        AND (a.created_at, a.label) > (b.created_at, b.label)"""


def one_answer(db: sqlite3.Connection) -> tuple[str, ...]:
    """Drop the later of two answers to one trial, with all that was said of it; return the trials.

    Of two of one time the smaller text stays.
    """
    found = db.execute(_ANSWERS).fetchall()
    for key, is_earlier in found:
        side = "main" if is_earlier else "other"
        for table in _OF_AN_ANSWER:
            db.execute(f"DELETE FROM {side}.{table} WHERE trial = ?", [key])
    return tuple(key for key, _ in found)


def one_label(db: sqlite3.Connection) -> dict[str, int]:
    """Drop the later of two labels that one judge gave an answer; return by judge how often they
    were different ones."""
    different: Counter[str] = Counter()
    for judge, key, differs, is_earlier in db.execute(_LABELS).fetchall():
        different[judge] += differs
        side = "main" if is_earlier else "other"
        for table in ("readings", "verdicts"):
            db.execute(f"DELETE FROM {side}.{table} WHERE judge = ? AND trial = ?", [judge, key])
    return {judge: number for judge, number in different.items() if number}


def one_queue(db: sqlite3.Connection) -> None:
    """Keep one way in which a person came upon an answer."""
    for judge, key, is_other in db.execute(_QUEUES).fetchall():
        side = "main" if is_other else "other"
        db.execute(f"DELETE FROM {side}.hand_queue WHERE judge = ? AND trial = ?", [judge, key])


def later_words(db: sqlite3.Connection) -> None:
    """Tell trials that stand in both as the one planned last tells them."""
    db.execute(_WORDS)


def later_states(db: sqlite3.Connection) -> None:
    """Bring batches on to where the other database saw them."""
    db.execute(_STATES)


def in_order_of_time(db: sqlite3.Connection) -> None:
    """Number a person's labels of one answer in the order in which they were given."""
    for judge, key in db.execute(_OUT_OF_ORDER).fetchall():
        sql = (
            "SELECT id FROM main.verdicts WHERE judge = ? AND trial = ? ORDER BY created_at, label"
        )
        given = [row[0] for row in db.execute(sql, [judge, key])]
        for row, number in zip(given, sorted(given), strict=True):
            db.execute("UPDATE main.verdicts SET id = ? WHERE id = ?", [-number, row])
        for number in given:
            db.execute("UPDATE main.verdicts SET id = ? WHERE id = ?", [number, -number])
