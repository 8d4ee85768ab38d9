"""Filter of trials, and the row numbers of the matching trials."""

from collections.abc import Set
from dataclasses import dataclass

from steertui.core.judge_kind import JudgeKind
from steertui.lookup import disambiguate
from steertui.store.rows import CONTROL_TRIALS
from steertui.store.store import Store

UNLABELLED = "unlabelled"
"""Value of `TrialFilter.label`: answered, without a label of the judge."""

FAILED = "failed"
"""Value of `TrialFilter.label`: the judge failed."""

JUDGED = "judged"
"""Value of `TrialFilter.label`: the judge gave a label."""

WAITING = "waiting"
"""Value of `TrialFilter.label`: without an answer."""


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """Conditions on trials, all of which must hold; "" for no condition.

    Attributes:
        experiment: id of the experiment.
        model: identity of the model (`Model.sha256`).
        temperature: `repr` of the temperature, such as "0.0".
        condition: name of the condition.
        category: category of the scenario.
        scenario: name of the scenario.
        sample: index of the sample from 0, such as "0".
        label: labels of `judge` separated by commas, JUDGED, UNLABELLED, FAILED or WAITING.
        judge: the judge whose labels are shown and filtered by.
        stop: stop reason, "stop" or "length".
        search: words that the answer or its reasoning must contain (`fts_query`).
        other: a second judge.
        other_label: label of the second judge.
        differs_from: a judge whose label differs from that of `judge`.
    """

    experiment: str = ""
    model: str = ""
    temperature: str = ""
    condition: str = ""
    category: str = ""
    scenario: str = ""
    sample: str = ""
    label: str = ""
    judge: str = ""
    stop: str = ""
    search: str = ""
    other: str = ""
    other_label: str = ""
    differs_from: str = ""


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Options of a filter: pairs of value and name, in the order they were stored.

    Attributes:
        has_answers: whether the database has an answer that is no control answer.
    """

    models: tuple[tuple[str, str], ...]
    temperatures: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str], ...]
    categories: tuple[tuple[str, str], ...]
    judges: tuple[tuple[str, str], ...]
    has_answers: bool = False


_CONDITIONS = {
    "model": "t.model = ?",
    "temperature": "t.temperature = CAST(? AS REAL)",
    "condition": "t.condition IN (SELECT id FROM conditions WHERE name = ?)",
    "category": "t.scenario IN (SELECT id FROM scenarios WHERE category = ?)",
    "scenario": "t.scenario IN (SELECT id FROM scenarios WHERE name = ?)",
    "sample": "t.sample = CAST(? AS INTEGER)",
    # "+": lists of keys do not drive the query, since the other filters leave fewer trials.
    "stop": "+t.key IN (SELECT trial FROM generations WHERE stop = ?)",
    # Row numbers come from the index alone: reading the table would load a page of text per row.
    "search": """EXISTS (SELECT 1 FROM generations AS g WHERE g.trial = t.key
        AND g.id IN (SELECT rowid FROM generations_fts WHERE generations_fts MATCH ?))""",
}
_LABELLED = "+t.key IN (SELECT trial FROM verdicts WHERE judge = ? AND label = ?)"
# A person may have replaced a label; a model gives each answer one (index `one_label_a_judge`).
_LABELLED_BY_PERSON = """+t.key IN (SELECT v.trial FROM verdicts AS v
    WHERE v.judge = ? AND v.label = ? AND NOT EXISTS (SELECT 1 FROM verdicts AS w
        WHERE w.trial = v.trial AND w.judge = v.judge
        AND w.label IS NOT NULL AND w.id > v.id))"""
_ANSWERED = "t.key IN (SELECT trial FROM generations)"
_HAS_LABEL = "t.key IN (SELECT trial FROM verdicts WHERE judge = ? AND label IS NOT NULL)"
_HAS_FAILURE = "t.key IN (SELECT trial FROM verdicts WHERE judge = ? AND label IS NULL)"

_DIFFERS = """t.key IN (SELECT one.trial
    FROM current_verdicts AS one JOIN current_verdicts AS two ON two.trial = one.trial
    WHERE one.judge = ? AND two.judge = ? AND one.label <> two.label)"""


def trial_rows(store: Store, experiment: str) -> list[int]:
    """Return the sorted row numbers of an experiment's trials, which never change."""
    # In the order of the keys, as both indexes are: a third of the time.
    sql = """SELECT t.rowid FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        WHERE e.experiment = ? ORDER BY e.trial"""
    return sorted(store.column(sql, [experiment]))


def find_trials(
    store: Store, trial_filter: TrialFilter, among: Set[int] | None = None
) -> list[int]:
    """Return the row numbers of the matching trials, in the order of their first plan.

    `among` are the row numbers of the experiment (`trial_rows`), if they are known already.
    """
    if trial_filter.experiment and among is None:
        among = frozenset(trial_rows(store, trial_filter.experiment))
    # An experiment's own trials are no control answers; only a search over everything finds those.
    where = ["1"] if among is not None else [f"t.key NOT IN {CONTROL_TRIALS}"]
    values: list[str] = []
    for name, part in _CONDITIONS.items():
        value = getattr(trial_filter, name)
        if name == "search":
            value = fts_query(value)
        if value:
            where.append(part)
            values.append(value)
    if trial_filter.label:
        part, more = _labelled(trial_filter)
        where.append(part)
        values += more
    if trial_filter.other:
        where.append(_labelled_by(trial_filter.other))
        values += [trial_filter.other, trial_filter.other_label]
    if trial_filter.differs_from:
        where.append(_DIFFERS)
        values += [trial_filter.judge, trial_filter.differs_from]
    if among is not None and len(where) == 1:
        return sorted(among)
    rows = store.column(f"SELECT t.rowid FROM trials AS t WHERE {' AND '.join(where)}", values)
    return sorted(rows if among is None else among & set(rows))


def _labelled(trial_filter: TrialFilter) -> tuple[str, list[str]]:
    if trial_filter.label == WAITING:
        return f"NOT {_ANSWERED}", []
    if trial_filter.label == UNLABELLED:
        return f"{_ANSWERED} AND NOT {_HAS_LABEL}", [trial_filter.judge]
    if trial_filter.label == FAILED:
        return f"{_HAS_FAILURE} AND NOT {_HAS_LABEL}", [trial_filter.judge, trial_filter.judge]
    if trial_filter.label == JUDGED:
        return _HAS_LABEL, [trial_filter.judge]
    labels = trial_filter.label.split(",")
    parts = " OR ".join([_labelled_by(trial_filter.judge)] * len(labels))
    return f"({parts})", [value for label in labels for value in (trial_filter.judge, label)]


def _labelled_by(judge: str) -> str:
    """Return the condition that the judge's present label is a given one."""
    return _LABELLED_BY_PERSON if judge.startswith(JudgeKind.HUMAN.prefix) else _LABELLED


def fts_query(text: str) -> str:
    """Return an FTS5 query for all words of a text, whatever characters they contain.

    The last word also matches as a prefix, so that results narrow during typing. Return "" for no
    word, and for a single ASCII letter, with which too many words begin.
    """
    if len(text.strip()) == 1 and text.strip().isascii() and text.strip().isalpha():
        return ""
    words = ['"' + word.replace('"', '""') + '"' for word in text.replace("\0", " ").split()]
    return " ".join(words) + "*" if words else ""


_CELLS = """SELECT DISTINCT t.condition, t.scenario, t.temperature FROM trials AS t
    JOIN models AS m ON m.sha256 = t.model WHERE m.backend <> 'control'"""
"""SQL of the cells with trials that are no control answers."""

_AN_ANSWER = """SELECT 1 FROM generations AS g JOIN trials AS t ON t.key = g.trial
    JOIN models AS m ON m.sha256 = t.model WHERE m.backend <> 'control' LIMIT 1"""


def filter_options(store: Store) -> FilterOptions:
    """Return the options of a filter on the database's trials."""
    of_models = "SELECT sha256, name FROM models WHERE backend <> 'control' ORDER BY rowid"
    of_judges = "SELECT id, name FROM judges WHERE kind <> 'control' ORDER BY rowid"
    models = disambiguate(dict(store.tuples(of_models)))
    cells = [*store.tuples(_CELLS)]
    temperatures = sorted({temperature for *_, temperature in cells})
    conditions = _used_names(store, "conditions", "name", {cell[0] for cell in cells})
    categories = _used_names(store, "scenarios", "category", {cell[1] for cell in cells})
    return FilterOptions(
        models=tuple(models.items()),
        temperatures=tuple((repr(t), f"{t:g}") for t in temperatures),
        conditions=tuple((name, name) for name in conditions),
        categories=tuple((name, name) for name in categories),
        judges=tuple((judge, name) for judge, name in store.tuples(of_judges)),
        has_answers=bool(store.column(_AN_ANSWER)),
    )


def _used_names(store: Store, table: str, column: str, used: Set[str]) -> list[str]:
    """Return the different values of a column in the rows of these ids, first stored first."""
    rows = store.tuples(f"SELECT id, {column} FROM {table} ORDER BY rowid")
    return [*dict.fromkeys(name for identity, name in rows if identity in used)]
