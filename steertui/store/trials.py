"""Trials to be read: found by a filter, listed by pages, and each in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steertui.store.store import Store
from steertui.verdict import Label

UNLABELLED, FAILED, WAITING = "unlabelled", "failed", "waiting"
"""What may stand in a filter's `label` beside the four labels: answered and not judged, the
judge failed, not answered yet."""


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """Which trials; "" leaves a field open.

    Attributes:
        experiment: an experiment's id.
        model: a model's sha256.
        condition: a condition's name.
        category: a scenario's category.
        scenario: a scenario's name.
        label: a label, UNLABELLED, FAILED or WAITING; as `judge` sees it.
        judge: whose labels are shown and asked for.
        stop: "stop" or "length".
        other: a second judge, whose label is `other_label`.
        search: words that the answer or its reasoning holds, all of them.
    """

    experiment: str = ""
    model: str = ""
    condition: str = ""
    category: str = ""
    scenario: str = ""
    label: str = ""
    judge: str = ""
    stop: str = ""
    search: str = ""
    other: str = ""
    other_label: str = ""


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
class Reading:
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
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a filter may choose from: (value, name) in the order first stored."""

    models: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str], ...]
    categories: tuple[tuple[str, str], ...]
    judges: tuple[tuple[str, str], ...]


_PART = {
    "model": "t.model = ?",
    "condition": "t.condition IN (SELECT id FROM conditions WHERE name = ?)",
    "category": "t.scenario IN (SELECT id FROM scenarios WHERE category = ?)",
    "scenario": "t.scenario IN (SELECT id FROM scenarios WHERE name = ?)",
    "stop": "t.key IN (SELECT trial FROM generations WHERE stop = ?)",
    # Answers' row numbers from their index alone: a step into the table costs a page of text.
    "search": """EXISTS (SELECT 1 FROM generations AS g WHERE g.trial = t.key
        AND g.id IN (SELECT rowid FROM generations_fts WHERE generations_fts MATCH ?))""",
}
_LABELLED = "t.key IN (SELECT trial FROM verdicts WHERE judge = ? AND label = ?)"
_ANSWERED = "t.key IN (SELECT trial FROM generations)"
_HAS_LABEL = "t.key IN (SELECT trial FROM verdicts WHERE judge = ? AND label IS NOT NULL)"
_HAS_FAILURE = "t.key IN (SELECT trial FROM verdicts WHERE judge = ? AND label IS NULL)"


def find_trials(store: Store, wanted: TrialFilter) -> list[int]:
    """Return the trials' row numbers, in the order they were planned in."""
    where, values = ["1"], []
    for name, part in _PART.items():
        if value := getattr(wanted, name):
            where.append(part)
            values.append(fts_words(value) if name == "search" else value)
    if wanted.label:
        part, more = _labelled(wanted)
        where.append(part)
        values += more
    if wanted.other:
        where.append(_LABELLED)
        values += [wanted.other, wanted.other_label]
    among = ""
    if wanted.experiment:
        among = "JOIN experiment_trials AS e ON e.experiment = ? AND e.trial = t.key"
        values.insert(0, wanted.experiment)
    sql = f"SELECT t.rowid AS row FROM trials AS t {among} WHERE {' AND '.join(where)} ORDER BY 1"
    return store.column(sql, values)


def _labelled(wanted: TrialFilter) -> tuple[str, list[str]]:
    if wanted.label == WAITING:
        return f"NOT {_ANSWERED}", []
    if wanted.label == UNLABELLED:
        return f"{_ANSWERED} AND NOT {_HAS_LABEL}", [wanted.judge]
    if wanted.label == FAILED:
        return f"{_HAS_FAILURE} AND NOT {_HAS_LABEL}", [wanted.judge, wanted.judge]
    return _LABELLED, [wanted.judge, wanted.label]


def fts_words(text: str) -> str:
    """Return the words as an FTS query that holds them all, whatever signs they contain.

    The last word may be the beginning of one, so that a search narrows while it is typed.
    """
    words = ['"' + word.replace('"', '""') + '"' for word in text.replace("\0", " ").split()]
    return " ".join(words) + "*" if words else '""'


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


def _readings(store: Store, key: str) -> tuple[Reading, ...]:
    sql = """SELECT j.name, v.* FROM current_verdicts AS v JOIN judges AS j ON j.id = v.judge
        WHERE v.trial = ? ORDER BY j.rowid"""
    return tuple(_reading(row) for row in store.query(sql, [key]))


def _reading(row: dict[str, Any]) -> Reading:
    label = Label(row["label"]) if row["label"] else None
    chances = tuple(row[f"p_{name}"] for name in Label)
    given = None if None in chances else chances
    return Reading(row["name"], label, row["failure"], given, row["reason"])


def choices(store: Store) -> Choices:
    """Return what the database's trials can be filtered by."""
    return Choices(
        _pairs(store, "SELECT sha256 AS a, name AS b FROM models ORDER BY rowid"),
        _pairs(store, "SELECT name AS a, name AS b FROM conditions GROUP BY 1 ORDER BY min(rowid)"),
        _pairs(
            store,
            "SELECT category AS a, category AS b FROM scenarios GROUP BY 1 ORDER BY min(rowid)",
        ),
        _pairs(store, "SELECT id AS a, name AS b FROM judges ORDER BY rowid"),
    )


def _pairs(store: Store, sql: str) -> tuple[tuple[str, str], ...]:
    return tuple((row["a"], row["b"]) for row in store.query(sql))
