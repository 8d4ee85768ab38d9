"""A TrialFilter: which trials are wanted, and their row numbers in the database."""

from collections.abc import Set
from dataclasses import dataclass

from steertui.lookup import disambiguate
from steertui.store.store import Store

UNLABELLED, FAILED, WAITING = "unlabelled", "failed", "waiting"
"""What may stand in a filter's `label` beside the four labels: answered and not judged, the
judge failed, not answered yet."""


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """Which trials; "" leaves a field open.

    Attributes:
        experiment: an experiment's id.
        model: a model's sha256.
        temperature: a number as Python writes a float: "0.0".
        condition: a condition's name.
        category: a scenario's category.
        scenario: a scenario's name.
        label: a label, UNLABELLED, FAILED or WAITING; as `judge` sees it.
        judge: whose labels are shown and asked for.
        stop: "stop" or "length".
        other: a second judge, whose label is `other_label`.
        search: words that the answer or its reasoning holds, all of them; see `fts_words`.
    """

    experiment: str = ""
    model: str = ""
    temperature: str = ""
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
class FilterOptions:
    """What a filter may choose from: (value, name) in the order first stored."""

    models: tuple[tuple[str, str], ...]
    temperatures: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str], ...]
    categories: tuple[tuple[str, str], ...]
    judges: tuple[tuple[str, str], ...]


_PART = {
    "model": "t.model = ?",
    "temperature": "t.temperature = CAST(? AS REAL)",
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


def rows_of(store: Store, experiment: str) -> list[int]:
    """Return the row numbers of an experiment's trials, in order; they never change."""
    sql = """SELECT t.rowid FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        WHERE e.experiment = ?"""
    return sorted(store.column(sql, [experiment]))


def find_trials(store: Store, wanted: TrialFilter, among: Set[int] | None = None) -> list[int]:
    """Return the trials' row numbers, in the order they were first planned in.

    `among`: the experiment's own (see `rows_of`), for who asks more than once.
    """
    if wanted.experiment and among is None:
        among = frozenset(rows_of(store, wanted.experiment))
    where, values = ["1"], []
    for name, part in _PART.items():
        value = getattr(wanted, name)
        if name == "search":
            value = fts_words(value)
        if value:
            where.append(part)
            values.append(value)
    if wanted.label:
        part, more = _labelled(wanted)
        where.append(part)
        values += more
    if wanted.other:
        where.append(_LABELLED)
        values += [wanted.other, wanted.other_label]
    if among is not None and len(where) == 1:
        return sorted(among)
    found = store.column(f"SELECT t.rowid FROM trials AS t WHERE {' AND '.join(where)}", values)
    return sorted(found if among is None else among & set(found))


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

    The last word may be the beginning of one, so that a search narrows while it is typed. "" for
    no word, or for one letter alone, which most words of a language could begin with.
    """
    if len(text.strip()) == 1 and text.strip().isascii() and text.strip().isalpha():
        return ""
    words = ['"' + word.replace('"', '""') + '"' for word in text.replace("\0", " ").split()]
    return " ".join(words) + "*" if words else ""


def filter_options(store: Store) -> FilterOptions:
    """Return what the database's trials can be filtered by."""
    models = disambiguate(dict(store.tuples("SELECT sha256, name FROM models ORDER BY rowid")))
    temperatures = store.column("SELECT DISTINCT temperature FROM trials ORDER BY 1")
    return FilterOptions(
        tuple(models.items()),
        tuple((repr(t), f"{t:g}") for t in temperatures),
        _pairs(store, "SELECT name AS a, name AS b FROM conditions GROUP BY 1 ORDER BY min(rowid)"),
        _pairs(
            store,
            "SELECT category AS a, category AS b FROM scenarios GROUP BY 1 ORDER BY min(rowid)",
        ),
        _pairs(store, "SELECT id AS a, name AS b FROM judges ORDER BY rowid"),
    )


def _pairs(store: Store, sql: str) -> tuple[tuple[str, str], ...]:
    return tuple((row["a"], row["b"]) for row in store.query(sql))
