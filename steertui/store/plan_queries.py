"""Queries for plans: which planned trials have an answer or a label.

Trials are given by key, since an experiment that was never planned has no rows of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from steertui.core.condition import Condition
from steertui.core.scenario import Scenario
from steertui.store import rows
from steertui.store.records import UnjudgedAnswer
from steertui.store.store import Store

KEYS_PER_QUERY = 500
"""Trial keys per SELECT; SQLite limits the parameters of one statement."""


def answered_keys(store: Store, keys: Sequence[str]) -> frozenset[str]:
    """Return those of the trial keys that have an answer."""
    sql = "SELECT trial FROM generations WHERE trial IN ({})"
    return frozenset(row["trial"] for row in _rows(store, sql, keys))


def count_judged(store: Store, keys: Sequence[str], judge: str) -> int:
    """Return the number of trials among `keys` that have a label of the judge."""
    sql = """SELECT count(DISTINCT trial) AS n FROM verdicts
        WHERE label IS NOT NULL AND trial IN ({}) AND judge = ?"""
    return sum(int(row["n"]) for row in _rows(store, sql, keys, judge))


def count_conditions(store: Store, keys: Sequence[str]) -> dict[str, int]:
    """Return the number of trials among `keys` by their condition's name, largest first."""
    sql = """SELECT c.name FROM trials AS t JOIN conditions AS c ON c.id = t.condition
        WHERE t.key IN ({}) ORDER BY t.key"""
    counts = Counter(row["name"] for row in _rows(store, sql, keys))
    return dict(counts.most_common())


def labelled_keys(store: Store, keys: Sequence[str], judge: str) -> frozenset[str]:
    """Return those of the trial keys that have a label of the judge."""
    sql = "SELECT trial FROM verdicts WHERE label IS NOT NULL AND trial IN ({}) AND judge = ?"
    return frozenset(row["trial"] for row in _rows(store, sql, keys, judge))


def scored_keys(store: Store, keys: Sequence[str]) -> frozenset[str]:
    """Return those of the trial keys whose answer has a log-likelihood."""
    sql = "SELECT trial FROM answer_logliks WHERE trial IN ({})"
    return frozenset(row["trial"] for row in _rows(store, sql, keys))


def unjudged_answers(store: Store, keys: Sequence[str], judge: str) -> Iterator[UnjudgedAnswer]:
    """Yield the answers among `keys` without a label of the judge."""
    sql = """SELECT t.key, s.category, s.system, s.task, c.name, c.suffix, c.about, c.spec,
                g.answer
        FROM trials AS t
        JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition
        JOIN generations AS g ON g.trial = t.key
        WHERE t.key IN ({}) AND NOT EXISTS (SELECT 1 FROM verdicts AS v
            WHERE v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL)"""
    return map(rows.unjudged_answer, _rows(store, sql, keys, judge))


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial of a plan.

    Attributes:
        key: key of its answer: that of the trial, or of another one whose answer it reuses.
        model: identity of the model.
        scenario: with its texts.
        condition: with its texts.
        max_tokens: maximum number of new tokens; 0 if it is not stored.
    """

    key: str
    model: str
    scenario: Scenario
    condition: Condition
    max_tokens: int


def trials_of_plan(
    store: Store, experiment: str, scenarios: Sequence[Scenario], conditions: Sequence[Condition]
) -> list[PlannedTrial]:
    """Return the trials of a stored experiment; [] if any of them has other texts than these."""
    by_scenario = {rows.scenario_row(scenario)[0]: scenario for scenario in scenarios}
    by_condition = {rows.condition_row(condition)[0]: condition for condition in conditions}
    sql = """SELECT t.key, t.model, t.scenario, t.condition,
            ifnull(json_extract(t.sampling, '$.max_tokens'), 0)
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial WHERE e.experiment = ? ORDER BY e.place"""
    trials = []
    for key, model, scenario, condition, limit in store.tuples(sql, [experiment]):
        if scenario not in by_scenario or condition not in by_condition:
            return []
        texts = by_scenario[scenario], by_condition[condition]
        trials.append(PlannedTrial(key, model, *texts, limit))
    return trials


def _rows(
    store: Store, sql: str, keys: Sequence[str], *parameters: str
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query over the keys, `KEYS_PER_QUERY` at a time.

    `sql` has a `{}` where the placeholders of the keys go, before all other parameters.
    """
    for start in range(0, len(keys), KEYS_PER_QUERY):
        part = keys[start : start + KEYS_PER_QUERY]
        placeholders = ",".join("?" * len(part))
        yield from store.query(sql.format(placeholders), [*part, *parameters])
