"""Trials to be read: listed by pages, and each in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steertui.core.verdict import Label
from steertui.store.store import Store


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One trial in a list; `answer` is its beginning, None where it is not answered."""

    row: int
    key: str
    model: str
    category: str
    title: str
    condition: str
    temperature: float
    sample: int
    stop: str
    tokens: int
    answer: str | None
    label: Label | None
    failure: str


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """One judge's stored verdict; probabilities in `Label`'s order, None without likelihoods."""

    judge: str
    label: Label | None
    failure: str
    probabilities: tuple[float, ...] | None
    reason: str


@dataclass(frozen=True, slots=True)
class TrialText:
    """One trial with every text of it."""

    row: int
    key: str
    model: str
    scenario: str
    category: str
    title: str
    system: str
    task: str
    condition: str
    suffix: str
    about: str
    temperature: float
    sample: int
    stop: str
    prompt_tokens: int
    tokens: int
    seconds: float
    reasoning: str
    answer: str | None
    readings: tuple[StoredVerdict, ...]


def list_trials(store: Store, rows: Sequence[int], judge: str) -> list[TrialLine]:
    """Return a line for each of the rows, in their order."""
    marks = ",".join("?" * len(rows))
    sql = f"""SELECT t.rowid AS row, t.key, m.name AS model, s.category, s.title,
            c.name AS condition, t.temperature, t.sample, g.stop, g.tokens,
            substr(g.answer, 1, 240) AS answer, v.label, v.failure
        FROM trials AS t JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        LEFT JOIN generations AS g ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE t.rowid IN ({marks})"""
    found = {row["row"]: _line(row) for row in store.query(sql, [judge, *rows])}
    return [found[row] for row in rows if row in found]


def _line(row: dict[str, Any]) -> TrialLine:
    label = Label(row["label"]) if row["label"] else None
    given = {"stop": row["stop"] or "", "tokens": row["tokens"] or 0, "label": label}
    return TrialLine(**row | given | {"failure": row["failure"] or ""})


_TEXT = """SELECT t.rowid AS row, t.key, m.name AS model, s.name AS scenario, s.category, s.title,
        s.system, s.task, c.name AS condition, c.suffix, c.about, t.temperature, t.sample,
        ifnull(g.stop, '') AS stop, ifnull(g.prompt_tokens, 0) AS prompt_tokens,
        ifnull(g.tokens, 0) AS tokens, ifnull(g.seconds, 0.0) AS seconds,
        ifnull(g.reasoning, '') AS reasoning, g.answer
    FROM trials AS t JOIN models AS m ON m.sha256 = t.model
    JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
    LEFT JOIN generations AS g ON g.trial = t.key WHERE """


def read_trial(store: Store, key: str) -> TrialText | None:
    """Return a trial with every text of it and every judge's verdict; None where it is not."""
    found = _read(store, "t.key = ?", [key])
    return found[0] if found else None


def read_beside(store: Store, key: str, experiment: str) -> list[TrialText]:
    """Return the trial and its like under the other conditions, in planned order.

    Its like: the same model, scenario, sampling and sample; those of `experiment`, or of any
    where it is "".
    """
    among = "1"
    values = [key]
    if experiment:
        among = "t.key IN (SELECT trial FROM experiment_trials WHERE experiment = ?)"
        values.append(experiment)
    where = f"""t.rowid IN (SELECT b.rowid FROM trials AS a JOIN trials AS b
        ON b.model = a.model AND b.scenario = a.scenario AND b.sampling = a.sampling
        AND b.sample = a.sample WHERE a.key = ?) AND {among} ORDER BY t.rowid"""
    return _read(store, where, values)


def _read(store: Store, where: str, values: Sequence[str]) -> list[TrialText]:
    return [
        TrialText(**row, readings=_readings(store, row["key"]))
        for row in store.query(_TEXT + where, values)
    ]


def _readings(store: Store, key: str) -> tuple[StoredVerdict, ...]:
    sql = """SELECT j.name, v.* FROM current_verdicts AS v JOIN judges AS j ON j.id = v.judge
        WHERE v.trial = ? ORDER BY j.rowid"""
    return tuple(_reading(row) for row in store.query(sql, [key]))


def _reading(row: dict[str, Any]) -> StoredVerdict:
    label = Label(row["label"]) if row["label"] else None
    chances = tuple(row[f"p_{name}"] for name in Label)
    given = None if None in chances else chances
    return StoredVerdict(row["name"], label, row["failure"], given, row["reason"])
