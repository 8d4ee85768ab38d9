"""Queries that return the texts and labels of trials for reports."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from steertui.core.condition import Condition, stored_condition
from steertui.core.verdict import Label
from steertui.store.records import ModelSetting
from steertui.store.store import Store


class ReportRow(NamedTuple):
    """A planned trial with its answer and one judge's verdict; None where there is none.

    Attributes:
        key: the trial's key.
        model_sha256: identity of the model.
        model: the model's name.
        condition_id: id in the table `conditions`: a hash of name, texts and description.
        sample: index from 0.
        p_convergence: probability of the label "convergence", 0 to 1.
        loglik: log-likelihood of the answer under the unsteered model, in nats.
        loglik_tokens: number of tokens to which it belongs.
        prompt: the prompt as sent, in JSON if it is a list of messages.
    """

    experiment: str
    key: str
    model_sha256: str
    model: str
    scenario: str
    category: str
    condition: str
    condition_id: str
    temperature: float
    sample: int
    judge: str | None
    label: str | None
    failure: str | None
    p_convergence: float | None
    reason: str | None
    answer: str | None
    reasoning: str | None
    stop: str | None
    tokens: int | None
    loglik: float | None
    loglik_tokens: int | None
    prompt: str


class JudgeVerdict(NamedTuple):
    """A judge's verdict on an answer; `failure` is "" if there is a label."""

    judge: str
    label: Label | None
    failure: str
    reason: str


class AnswerText(NamedTuple):
    """A trial with the texts of its scenario and condition, and its answer, None if missing."""

    key: str
    model: str
    temperature: float
    sample: int
    condition: str
    suffix: str
    about: str
    spec: str
    scenario: str
    title: str
    category: str
    task: str
    system: str
    answer: str | None
    reasoning: str | None
    stop: str | None
    tokens: int | None

    @property
    def steered_by(self) -> Condition:
        """The condition with its texts and interventions."""
        return stored_condition(self.condition, self.suffix, self.about, self.spec)


class ScoredAnswer(NamedTuple):
    """An answer under a condition.

    Attributes:
        loglik: log-likelihood of its text under the unsteered model, in nats; None if unmeasured.
        tokens: scored tokens; None if unmeasured.
    """

    condition: str
    scenario: str
    answer: str
    loglik: float | None
    tokens: int | None


class RepeatedTrial(NamedTuple):
    """A trial whose prompt and sampling another condition has, too.

    Attributes:
        prompt: sha256 of the prompt.
        sampling: settings (JSON).
        steering: interventions (JSON), "" for none.
    """

    condition: str
    scenario: str
    prompt: str
    sampling: str
    steering: str


class AnswerRecord(NamedTuple):
    """An answer with the texts of its scenario and condition, its tokens, time and verdicts.

    Attributes:
        created_at: time of storing, ISO 8601 in UTC.
        seconds: duration of the generation.
        sampling: sampling parameters (JSON).
        loglik: as in `ScoredAnswer`.
        loglik_tokens: scored tokens; None if unmeasured.
    """

    key: str
    sample: int
    scenario: str
    title: str
    category: str
    task: str
    system: str
    condition: Condition
    answer: str
    reasoning: str
    stop: str
    tokens: int
    prompt_tokens: int
    created_at: str
    seconds: float
    sampling: str
    loglik: float | None
    loglik_tokens: int | None
    verdicts: tuple[JudgeVerdict, ...]


def report_rows(
    store: Store,
    experiment: str,
    setting: ModelSetting,
    judge: str | None,
    conditions: Sequence[str],
) -> Iterator[ReportRow]:
    """Yield the trials of a table in planned order, with the judge's verdicts."""
    sql = """SELECT e.experiment, t.key, t.model, m.name, s.name, s.category, c.name,
            c.id, t.temperature, t.sample, ?, v.label, v.failure, v.p_convergence, v.reason,
            g.answer, g.reasoning, g.stop, g.tokens, l.loglik, l.tokens, p.text
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN prompts AS p ON p.sha256 = t.prompt
        LEFT JOIN generations AS g ON g.trial = t.key
        LEFT JOIN answer_logliks AS l ON l.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?
            AND c.name IN (SELECT value FROM json_each(?))
        ORDER BY e.place"""
    parameters = [judge, judge, experiment, setting.model, setting.temperature]
    yield from map(ReportRow._make, store.tuples(sql, [*parameters, json.dumps([*conditions])]))


def scored_answers(
    store: Store, experiment: str, setting: ModelSetting, conditions: Sequence[str]
) -> Iterator[ScoredAnswer]:
    """Yield the answers of a model setting under some conditions, in planned order."""
    sql = """SELECT c.name, s.name, g.answer, l.loglik, l.tokens FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN conditions AS c ON c.id = t.condition
        JOIN scenarios AS s ON s.id = t.scenario JOIN generations AS g ON g.trial = t.key
        LEFT JOIN answer_logliks AS l ON l.trial = t.key
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?
            AND c.name IN (SELECT value FROM json_each(?))
        ORDER BY e.place"""
    parameters = [experiment, setting.model, setting.temperature, json.dumps([*conditions])]
    yield from map(ScoredAnswer._make, store.tuples(sql, parameters))


def repeated_trials(
    store: Store, experiment: str, setting: ModelSetting
) -> Iterator[RepeatedTrial]:
    """Yield the trials of a model setting whose prompt several conditions have, in planned order.

    They have the same scenario, sampling and sample.
    """
    sql = """SELECT condition, scenario, prompt, sampling, steering FROM (
            SELECT c.name AS condition, s.name AS scenario, t.prompt, t.sampling, t.steering,
                e.place, count(*) OVER (PARTITION BY t.scenario, t.prompt, t.sampling, t.sample)
                AS number
            FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
            JOIN conditions AS c ON c.id = t.condition JOIN scenarios AS s ON s.id = t.scenario
            WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?
        ) WHERE number > 1 ORDER BY place"""
    parameters = [experiment, setting.model, setting.temperature]
    yield from map(RepeatedTrial._make, store.tuples(sql, parameters))


def answer_records(
    store: Store, experiment: str, setting: ModelSetting, condition: str
) -> Iterator[AnswerRecord]:
    """Yield the answers of a model setting under a condition in planned order."""
    sql = """SELECT t.key, t.sample, s.name, s.title, s.category, s.task, s.system,
            c.name, c.suffix, c.about, c.spec, g.answer, g.reasoning, g.stop, g.tokens,
            g.prompt_tokens, g.created_at, g.seconds, t.sampling, l.loglik, l.tokens
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN generations AS g ON g.trial = t.key
        LEFT JOIN answer_logliks AS l ON l.trial = t.key
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ? AND c.name = ?
        ORDER BY e.place"""
    of_trial = "SELECT judge, label, failure, reason FROM current_verdicts WHERE trial = ?"
    parameters = [experiment, setting.model, setting.temperature, condition]
    for row in store.tuples(sql, parameters):
        verdicts = tuple(_verdict(*fields) for fields in store.tuples(of_trial, [row[0]]))
        steered_by = stored_condition(*row[7:11])
        yield AnswerRecord._make((*row[:7], steered_by, *row[11:], verdicts))


def keys_by_scenario(
    store: Store, experiment: str, settings: Collection[tuple[str, float]]
) -> dict[str, list[str]]:
    """Return trial keys by scenario, in planned order.

    `settings` are pairs of a model's identity and a temperature.
    """
    sql = """SELECT t.key, t.model, t.temperature, s.name FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN scenarios AS s ON s.id = t.scenario
        WHERE e.experiment = ? ORDER BY e.place"""
    keys: dict[str, list[str]] = {}
    for key, model, temperature, scenario in store.tuples(sql, [experiment]):
        if (model, temperature) in settings:
            keys.setdefault(scenario, []).append(key)
    return keys


def answer_texts(store: Store, keys: Sequence[str]) -> list[AnswerText]:
    """Return the texts of these trials, in the order of the keys."""
    sql = """SELECT t.key, t.model, t.temperature, t.sample, c.name, c.suffix, c.about, c.spec,
            s.name, s.title, s.category, s.task, s.system, g.answer, g.reasoning, g.stop, g.tokens
        FROM json_each(?) AS k JOIN trials AS t ON t.key = k.value
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        LEFT JOIN generations AS g ON g.trial = t.key"""
    return [AnswerText(*row) for row in store.tuples(sql, [json.dumps([*keys])])]


def verdicts_by_trial(store: Store, keys: Sequence[str]) -> dict[str, list[JudgeVerdict]]:
    """Return every judge's verdict in use on these trials, by trial key."""
    sql = """SELECT trial, judge, label, failure, reason FROM json_each(?) AS k
        JOIN current_verdicts AS v ON v.trial = k.value"""
    verdicts: dict[str, list[JudgeVerdict]] = {}
    for trial, *fields in store.tuples(sql, [json.dumps([*keys])]):
        verdicts.setdefault(trial, []).append(_verdict(*fields))
    return verdicts


def _verdict(judge: Any, label: Any, failure: Any, reason: Any) -> JudgeVerdict:
    return JudgeVerdict(judge, Label(label) if label else None, failure, reason)
