"""An experiment at a glance: where each trial stands, and what is new since the last look."""

from dataclasses import dataclass

from steertui.lookup import disambiguate
from steertui.store.records import TrialStatus
from steertui.store.rows import STATUSES
from steertui.store.store import Store


@dataclass(frozen=True, slots=True)
class TrialPlace:
    """Where a trial stands: `group` is the model with its temperature."""

    key: str
    category: str
    scenario: str
    title: str
    group: str
    condition: str


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """How far a look has gone: the last row numbers of answers, verdicts and failures."""

    generation: int = 0
    verdict: int = 0


def survey(
    store: Store, experiment: str, judge: str
) -> tuple[list[TrialPlace], dict[str, TrialStatus]]:
    """Return every trial of an experiment in planned order, and how the answered ones stand."""
    sql = """SELECT t.key, t.model, t.temperature, t.scenario, t.condition, g.stop, v.label,
            v.failure
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        LEFT JOIN generations AS g INDEXED BY generations_in_short ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? ORDER BY e.place"""
    # Names are looked up here, not joined, as for the outcomes: they are few.
    names = dict(store.tuples("SELECT sha256, name FROM models"))
    rows = [*store.tuples(sql, [judge, experiment])]
    models = disambiguate({model: names[model] for _, model, *_ in rows})
    sql_names = "SELECT id, category, name, title FROM scenarios"
    scenarios = {i: (category, name, t) for i, category, name, t in store.tuples(sql_names)}
    conditions = dict(store.tuples("SELECT id, name FROM conditions"))
    places: list[TrialPlace] = []
    cells: dict[str, TrialStatus] = {}
    for key, model, temperature, scenario, condition, stop, label, failure in rows:
        group = f"{models[model]} t{temperature:g}"
        places.append(TrialPlace(key, *scenarios[scenario], group, conditions[condition]))
        if stop:
            cells[key] = STATUSES[label, bool(failure)]
    return places, cells


def failures(store: Store, experiment: str) -> dict[str, str]:
    """Return by trial why it could not be answered, for those that still have no answer."""
    sql = """SELECT f.trial, f.reason FROM failures AS f JOIN experiment_trials AS e
        ON e.trial = f.trial AND e.experiment = ?
        WHERE NOT EXISTS (SELECT 1 FROM generations AS g WHERE g.trial = f.trial)
        ORDER BY f.id"""
    return {row["trial"]: row["reason"] for row in store.query(sql, [experiment])}


def mark(store: Store) -> ChangeMark:
    """Return how far the database goes now."""
    sql = """SELECT (SELECT ifnull(max(id), 0) FROM generations) AS generation,
        (SELECT ifnull(max(id), 0) FROM verdicts) AS verdict"""
    return ChangeMark(**store.query(sql)[0])


def changes_between(
    store: Store, experiment: str, judge: str, since: ChangeMark, until: ChangeMark
) -> dict[str, TrialStatus]:
    """Return by trial how the answered ones stand that changed between two marks."""
    sql = """SELECT g.trial, v.label, v.failure
        FROM (SELECT trial FROM generations WHERE id > ? AND id <= ?
            UNION SELECT trial FROM verdicts WHERE id > ? AND id <= ?) AS n
        JOIN experiment_trials AS e ON e.trial = n.trial AND e.experiment = ?
        JOIN generations AS g ON g.trial = n.trial
        LEFT JOIN current_verdicts AS v ON v.trial = n.trial AND v.judge = ?"""
    span = (since.generation, until.generation, since.verdict, until.verdict)
    return {
        trial: STATUSES[label, bool(failure)]
        for trial, label, failure in store.tuples(sql, [*span, experiment, judge])
    }


def count_all(store: Store) -> tuple[int, int]:
    """Return the numbers of trials and of answers in the database."""
    sql = "SELECT (SELECT count(*) FROM trials), (SELECT count(*) FROM generations)"
    ((trials, answers),) = store.tuples(sql)
    return trials, answers
