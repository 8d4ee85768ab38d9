"""State of an experiment's trials, and its changes since an earlier query."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from steertui.core.model import ModelBackend
from steertui.lookup import disambiguate
from steertui.store.records import TrialStatus
from steertui.store.rows import CONTROL_TRIALS, STATUSES
from steertui.store.store import Store


class TrialPlace(NamedTuple):
    """Place of a trial in the grid.

    Attributes:
        key: the trial's key.
        category: the scenario's category.
        scenario: the scenario's name.
        title: the scenario's title.
        group: model and temperature.
        condition: the condition's name.
    """

    key: str
    category: str
    scenario: str
    title: str
    group: str
    condition: str


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """Last row numbers of answers and verdicts, and version of the database, at a query.

    Attributes:
        generation: row number of the last answer.
        verdict: row number of the last verdict.
        version: differs from an earlier one if another connection has stored anything since.
    """

    generation: int = 0
    verdict: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class ModelProgress:
    """What an experiment has of one model.

    Attributes:
        name: of the model.
        trials: planned trials.
        answers: trials with an answer.
        failed: trials without an answer whose last attempt failed.
        labels: labels of all judges.
        unreadable: verdicts of all judges without a label.
        tokens: new tokens of the answers.
        seconds: from the start of each run, after the model is loaded, to its last answer, summed
            over the runs that produced the answers.
    """

    name: str
    trials: int
    answers: int
    failed: int
    labels: int
    unreadable: int
    tokens: int
    seconds: float


def survey(
    store: Store, experiment: str, judge: str
) -> tuple[list[TrialPlace], dict[str, TrialStatus]]:
    """Return an experiment's trials in planned order, and the states of the answered ones by key.

    The states are those under the judge.
    """
    # In the order of the keys, since all indexes used here are in it, then sorted by place.
    sql = """SELECT e.place, t.key, t.model, t.temperature, t.scenario, t.condition, g.stop,
            v.label, v.failure
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        LEFT JOIN generations AS g INDEXED BY generations_in_short ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? ORDER BY e.trial"""
    rows = sorted(store.tuples(sql, [judge, experiment]), key=itemgetter(0))
    # Names are looked up in Python, which is faster than joining them.
    model_names = dict(store.tuples("SELECT sha256, name FROM models"))
    models = disambiguate({model: model_names[model] for _, _, model, *_ in rows})
    scenarios = {
        identity: (category, name, title)
        for identity, category, name, title in store.tuples(
            "SELECT id, category, name, title FROM scenarios"
        )
    }
    conditions = dict(store.tuples("SELECT id, name FROM conditions"))
    places: list[TrialPlace] = []
    statuses: dict[str, TrialStatus] = {}
    groups: dict[tuple[str, float], str] = {}
    for _, key, model, temperature, scenario, condition, stop, label, failure in rows:
        group = groups.get((model, temperature))
        if group is None:
            group = groups[model, temperature] = f"{models[model]} t{temperature:g}"
        places.append(TrialPlace(key, *scenarios[scenario], group, conditions[condition]))
        if stop:
            statuses[key] = STATUSES[label, bool(failure)]
    return places, statuses


def failure_reasons(store: Store, experiment: str) -> dict[str, str]:
    """Return by trial the last reason why it has no answer."""
    sql = """SELECT f.trial, f.reason FROM failures AS f JOIN experiment_trials AS e
        ON e.trial = f.trial AND e.experiment = ?
        WHERE NOT EXISTS (SELECT 1 FROM generations AS g WHERE g.trial = f.trial)
        ORDER BY f.id"""
    return dict(store.tuples(sql, [experiment]))


def failed_readings(
    store: Store, experiment: str, judges: Iterable[str]
) -> frozenset[tuple[str, str]]:
    """Return (trial, judge) of the answers to which a judge has failed to give a label."""
    sql = """SELECT v.trial, v.judge FROM current_verdicts AS v JOIN experiment_trials AS e
        ON e.trial = v.trial AND e.experiment = ? WHERE v.judge = ? AND v.label IS NULL"""
    rows = (row for judge in judges for row in store.tuples(sql, [experiment, judge]))
    return frozenset((trial, judge) for trial, judge in rows)


def model_progress(store: Store, experiment: str) -> list[ModelProgress]:
    """Return what an experiment has of each of its models, in planned order."""
    sql = """WITH planned AS (SELECT t.key, t.model, e.place FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial WHERE e.experiment = ?),
        answers AS (SELECT p.key, p.model, g.run, g.tokens, g.created_at
            FROM planned AS p JOIN generations AS g ON g.trial = p.key),
        times AS (SELECT a.model, sum(a.tokens) AS tokens,
                86400 * (julianday(max(a.created_at)) - julianday(r.started_at)) AS seconds
            FROM answers AS a JOIN runs AS r ON r.id = a.run GROUP BY a.model, a.run),
        judged AS (SELECT p.model, v.label FROM planned AS p
            JOIN current_verdicts AS v ON v.trial = p.key)
        SELECT m.name, count(*),
            (SELECT count(*) FROM answers WHERE model = p.model),
            (SELECT count(DISTINCT f.trial) FROM planned AS q JOIN failures AS f ON f.trial = q.key
                WHERE q.model = p.model AND q.key NOT IN (SELECT key FROM answers)),
            (SELECT count(label) FROM judged WHERE model = p.model),
            (SELECT count(*) - count(label) FROM judged WHERE model = p.model),
            (SELECT ifnull(sum(tokens), 0) FROM times WHERE model = p.model),
            (SELECT ifnull(sum(seconds), 0.0) FROM times WHERE model = p.model)
        FROM planned AS p JOIN models AS m ON m.sha256 = p.model
        GROUP BY p.model ORDER BY min(p.place)"""
    return [ModelProgress(*row) for row in store.tuples(sql, [experiment])]


def current_mark(store: Store) -> ChangeMark:
    """Return the present last row numbers and version."""
    ((version,),) = store.tuples("PRAGMA data_version")
    sql = """SELECT (SELECT ifnull(max(id), 0) FROM generations),
        (SELECT ifnull(max(id), 0) FROM verdicts)"""
    ((generation, verdict),) = store.tuples(sql)
    return ChangeMark(generation, verdict, version)


def changes_between(
    store: Store, experiment: str, judge: str, since: ChangeMark, until: ChangeMark
) -> dict[str, TrialStatus]:
    """Return the states of the answered trials that changed between two marks, by key."""
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
    """Return the numbers of trials and of answers in the database, without control sets."""
    sql = f"""SELECT (SELECT count(*) FROM trials) - n, (SELECT count(*) FROM generations) - n
        FROM (SELECT count(*) AS n FROM {CONTROL_TRIALS})"""
    ((trials, answers),) = store.tuples(sql)
    return trials, answers


def unscored_counts(store: Store, experiment: str) -> dict[str, int]:
    """Return by condition the answers of local models that the unsteered model has not scored."""
    sql = """SELECT c.name, count(*) FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN conditions AS c ON c.id = t.condition
        JOIN models AS m ON m.sha256 = t.model JOIN generations AS g ON g.trial = e.trial
        WHERE e.experiment = ? AND m.backend = ?
            AND NOT EXISTS (SELECT 1 FROM answer_logliks AS l WHERE l.trial = e.trial)
        GROUP BY c.name"""
    return dict(store.tuples(sql, [experiment, ModelBackend.GGUF.value]))


def answered_counts(store: Store) -> dict[str, int]:
    """Return the number of answers of each experiment that has some, by its id."""
    sql = """SELECT experiment, count(*) FROM experiment_trials JOIN generations USING (trial)
        GROUP BY experiment"""
    return dict(store.tuples(sql))
