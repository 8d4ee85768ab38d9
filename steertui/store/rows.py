"""Rows of the tables from core objects, and core objects from rows."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from steertui.core.condition import Condition, stored_condition
from steertui.core.interventions import interventions_json
from steertui.core.judge_kind import parse_judge_kind, rubric_digest
from steertui.core.model import Model, parse_model_backend
from steertui.core.prompt import Prompt
from steertui.core.scenario import Scenario
from steertui.core.verdict import Label
from steertui.store.database import Database
from steertui.store.records import ModelFacts, ServerAnswer, TrialStatus, UnjudgedAnswer

LABELS: dict[str | None, Label | None] = {None: None} | {str(label): label for label in Label}
"""Label by its stored name; None for none."""

STATUSES = {
    (name, failed): TrialStatus(label, failed)
    for name, label in LABELS.items()
    for failed in (False, True)
}
"""Status by stored label and whether the judge failed: one object for all equal trials."""

CONTROL_TRIALS = """(SELECT t.key FROM models AS m CROSS JOIN trials AS t ON t.model = m.sha256
    WHERE m.backend = 'control')"""
"""SQL of the keys of all control answers."""

IS_CONTROL_SET = f"""EXISTS (SELECT 1 FROM experiment_trials AS i
    WHERE i.experiment = e.id AND i.trial IN {CONTROL_TRIALS})"""
"""SQL condition on an experiment `e`: its trials are control answers."""


def now() -> str:
    """Return the time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def digest(*parts: str) -> str:
    """Return the sha256 of the parts, joined by NUL, as 64 hex digits."""
    return sha256("\0".join(parts).encode()).hexdigest()


def as_json(value: object) -> str:
    """Return the value as JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def stored_rubric_digest(settings: str) -> str:
    """Return the sha256 of the rubric in a judge's settings (JSON), "" if there is none."""
    try:
        members = json.loads(settings)
    except (ValueError, RecursionError):
        return ""
    rubric = members.get("rubric") if isinstance(members, dict) else None
    if not isinstance(rubric, dict):
        return ""
    return rubric_digest(str(rubric.get("system")), str(rubric.get("user")))


def inserter(db: Database) -> Callable[[str, Iterable[Sequence[Any]]], None]:
    """Return a function that inserts rows into a table and skips those that exist."""

    def insert(table: str, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", row)

    return insert


def upsert_trials(db: Database, trials: Iterable[Sequence[Any]]) -> None:
    """Insert rows of `trials`; point stored ones to their present scenario and condition."""
    sql = """INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (key) DO UPDATE SET scenario = excluded.scenario,
            condition = excluded.condition, planned_at = excluded.planned_at
        WHERE (trials.scenario, trials.condition) <> (excluded.scenario, excluded.condition)"""
    for row in trials:
        db.execute(sql, row)


def model_row(model: Model, facts: ModelFacts) -> tuple[Any, ...]:
    """Return a row of `models`."""
    return (
        model.sha256,
        model.name,
        str(model.path),
        model.size,
        facts.title,
        facts.architecture,
        facts.description,
        facts.parameters,
        facts.template_sha256,
        facts.template,
        model.origin,
        parse_model_backend(model.sha256, model.origin).value,
    )


def prompt_format_row(experiment: str, model: str, facts: ModelFacts) -> tuple[str, ...]:
    """Return a row of `prompt_formats`."""
    notes = as_json(list(facts.notes))
    return (experiment, model, facts.template_sha256, facts.template, notes)


def scenario_row(scenario: Scenario) -> tuple[str, ...]:
    """Return a row of `scenarios`; its id is a hash of its texts."""
    texts = (scenario.name, scenario.category, scenario.title, scenario.task, scenario.system)
    return (digest(*texts), *texts)


def condition_row(condition: Condition) -> tuple[str, ...]:
    """Return a row of `conditions`; its id is a hash of its texts."""
    texts = (condition.name, condition.suffix, condition.about, condition.spec)
    return (condition_digest(*texts), *texts)


def condition_digest(name: str, suffix: str, about: str, spec: str) -> str:
    """Return the id of a condition; an empty `spec` is left out, as in earlier versions."""
    return digest(name, suffix, about, *([spec] if spec else []))


def trial_rows(prompts: Iterable[Prompt], planned_at: str) -> Iterator[tuple[Any, ...]]:
    """Yield a row of `trials` for each prompt; each text is hashed once."""
    scenario_id = cache(lambda scenario: scenario_row(scenario)[0])
    condition_id = cache(lambda condition: condition_row(condition)[0])
    text_id = cache(digest)
    sampling_text = cache(lambda sampling: as_json(sampling.as_dict()))
    for prompt in prompts:
        trial = prompt.trial
        yield (
            prompt.key,
            trial.model.sha256,
            scenario_id(trial.scenario),
            condition_id(trial.condition),
            text_id(prompt.text),
            sampling_text(trial.sampling),
            trial.sampling.temperature,
            trial.sample,
            planned_at,
            interventions_json(trial.interventions),
        )


def judge_row(judge: str, name: str, settings: object) -> tuple[str, ...]:
    """Return a row of `judges`."""
    text = as_json(settings)
    return (judge, name, text, parse_judge_kind(judge).value, stored_rubric_digest(text))


def unjudged_answer(row: dict[str, Any]) -> UnjudgedAnswer:
    """Return an answer from key, category, system, task, answer and the condition's columns."""
    condition = stored_condition(row["name"], row["suffix"], row["about"], row["spec"])
    return UnjudgedAnswer(
        key=row["key"],
        category=row["category"],
        context=row["system"],
        task=row["task"],
        user=condition.steer(row["task"]),
        answer=row["answer"],
    )


def server_answer_row(key: str, answer: ServerAnswer) -> tuple[Any, ...]:
    """Return a row of `server_answers`."""
    return (
        key,
        answer.url,
        answer.prompt_mode,
        answer.model,
        answer.fingerprint,
        answer.request_id,
        answer.attempts,
    )
