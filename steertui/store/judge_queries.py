"""Queries on judges and their labels: reply models, labelling times, annotation, settings."""

import json
from typing import Any, NamedTuple

from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label
from steertui.store.records import ModelSetting
from steertui.store.store import Store

_FROM = """FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
    JOIN conditions AS c ON c.id = t.condition"""
_WHERE = "WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"
_LABELLED = "JOIN verdicts AS v ON v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL"


class UnlabelledAnswer(NamedTuple):
    """An answer that an annotator has not labelled, with the reference judge's label.

    Attributes:
        key: the trial's key.
        model: the model's name.
        former: row id of the annotator's newest label, 0 for none.
        label: the reference judge's label, None if it has none.
        probabilities: of the four labels in `Label`'s order, each None if the judge gives none.
    """

    key: str
    category: str
    task: str
    answer: str
    model: str
    temperature: float
    scenario: str
    condition: str
    sample: int
    former: int
    label: Label | None
    probabilities: tuple[float | None, ...]


class PublishedLabel(NamedTuple):
    """A label that was imported with its answer."""

    key: str
    task: str
    condition: str
    label: Label


class JudgeRecord(NamedTuple):
    """A judge as stored; `settings` is a JSON object."""

    id: str
    name: str
    settings: str


def reply_models(
    store: Store, experiment: str, setting: ModelSetting, judge: str
) -> dict[str, int]:
    """Return the number of a judge's replies by the model name that the server reported."""
    sql = f"""SELECT r.model, count(*) {_FROM}
        JOIN judge_replies AS r ON r.trial = t.key AND r.judge = ? AND r.model <> ''
        {_WHERE} GROUP BY r.model ORDER BY min(r.id)"""
    return dict(store.tuples(sql, _parameters(experiment, setting, judge)))


def labelling_spans(
    store: Store, experiment: str, setting: ModelSetting, judge: str
) -> dict[str, tuple[str, str]]:
    """Return by condition the times of the judge's first and last label, ISO 8601."""
    sql = f"""SELECT c.name, min(v.created_at), max(v.created_at) {_FROM} {_LABELLED}
        {_WHERE} GROUP BY c.name ORDER BY min(e.place)"""
    rows = store.tuples(sql, _parameters(experiment, setting, judge))
    return {condition: (first, last) for condition, first, last in rows}


def count_relabelled(store: Store, experiment: str, setting: ModelSetting, judge: str) -> int:
    """Return the number of answers to which a judge (a person) gave different labels."""
    sql = f"""SELECT t.key {_FROM} {_LABELLED}
        {_WHERE} GROUP BY t.key HAVING count(DISTINCT v.label) > 1"""
    return len(store.column(sql, _parameters(experiment, setting, judge)))


def _parameters(experiment: str, setting: ModelSetting, judge: str) -> list[Any]:
    return [judge, experiment, setting.model, setting.temperature]


def unlabelled_answers(
    store: Store, experiment: str, annotator: str, reference: str, again: str = ""
) -> list[UnlabelledAnswer]:
    """Return the experiment's answers that the annotator has not labelled.

    Args:
        annotator: judge id of a person.
        reference: id of the judge whose labels and probabilities are returned; "" for none.
        again: key of an answer that is returned although it has a label; "" for none.
    """
    sql = """SELECT t.key, s.category, s.task, g.answer, m.name, t.temperature, s.name, c.name,
            t.sample,
            coalesce((SELECT max(o.id) FROM verdicts AS o
                WHERE o.trial = t.key AND o.judge = ? AND o.label IS NOT NULL), 0), v.label,
            v.p_convergence, v.p_no_convergence, v.p_safety_refusal, v.p_nonsensical
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial
        JOIN scenarios AS s ON s.id = t.scenario
        JOIN conditions AS c ON c.id = t.condition
        JOIN models AS m ON m.sha256 = t.model
        JOIN generations AS g ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? AND (t.key = ? OR NOT EXISTS (SELECT 1 FROM verdicts AS w
            WHERE w.trial = t.key AND w.judge = ? AND w.label IS NOT NULL))"""
    answers = []
    for row in store.tuples(sql, [annotator, reference, experiment, again, annotator]):
        *fields, label = row[:-4]
        answers.append(UnlabelledAnswer._make((*fields, Label(label) if label else None, row[-4:])))
    return answers


def published_labels(store: Store, model: str, judge: str) -> list[PublishedLabel]:
    """Return the labels of a model's answers in the order of the trials.

    `model` is the model's identity (`Model.sha256`), `judge` the judge's id.
    """
    sql = """SELECT t.key, s.task, c.name, v.label FROM trials AS t
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE t.model = ? AND v.label IS NOT NULL ORDER BY t.rowid"""
    return [
        PublishedLabel(key, task, condition, Label(label))
        for key, task, condition, label in store.tuples(sql, [judge, model])
    ]


def judge_settings(store: Store, judge: str) -> dict[str, Any]:
    """Return a judge's settings."""
    (text,) = store.column("SELECT settings FROM judges WHERE id = ?", [judge])
    settings: dict[str, Any] = json.loads(text)
    return settings


def model_origin(store: Store, model: str) -> str:
    """Return a model's repository and revision, or its server; "" for a local file."""
    (origin,) = store.column("SELECT origin FROM models WHERE sha256 = ?", [model])
    return str(origin)


def local_judges(store: Store) -> list[JudgeRecord]:
    """Return the stored judges with weights on this machine, in the order they were added."""
    sql = "SELECT id, name, settings FROM judges WHERE kind = ? ORDER BY rowid"
    return [JudgeRecord(*row) for row in store.tuples(sql, [JudgeKind.LOCAL])]


def count_without_reason(store: Store, experiment: str, judge: str) -> int:
    """Return the number of a judge's labels in an experiment that have no reason."""
    sql = """SELECT count(*) FROM experiment_trials JOIN verdicts AS v USING (trial)
        WHERE experiment = ? AND v.judge = ? AND v.label IS NOT NULL AND v.reason = ''"""
    return int(store.column(sql, [experiment, judge])[0])


def judge_records(store: Store, experiment: str) -> list[JudgeRecord]:
    """Return the judges with a verdict in the experiment, in the order they were added."""
    sql = """SELECT j.id, j.name, j.settings FROM judges AS j WHERE EXISTS (
        SELECT 1 FROM experiment_trials JOIN verdicts AS v USING (trial)
        WHERE experiment = ? AND v.judge = j.id) ORDER BY j.rowid"""
    return [JudgeRecord(*row) for row in store.tuples(sql, [experiment])]
