"""Nouns as rows: what is written into which column, and read out again."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlite_utils import Database

from steertui.core.condition import Condition, steer
from steertui.core.generation import StopReason
from steertui.core.judge_kind import JudgeKind, parse_judge_kind, rubric_digest
from steertui.core.model import Model, ModelBackend
from steertui.core.outcome import Outcome
from steertui.core.prompt import Prompt
from steertui.core.scenario import Scenario
from steertui.core.verdict import Label


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a GGUF says of itself, stored beside every model that was run."""

    title: str
    architecture: str
    description: str
    parameters: int
    template: str
    template_sha256: str


@dataclass(frozen=True, slots=True)
class ModelSetting:
    """What one table of rates is about: a model at a temperature.

    Attributes:
        model: the file's sha256, since two files may bear one name.
        name: for tables.
        title: what the GGUF calls itself.
        backend: where its answers come from.
    """

    model: str
    name: str
    title: str
    temperature: float
    backend: ModelBackend = ModelBackend.GGUF


@dataclass(frozen=True, slots=True)
class JudgeInfo:
    """A judge that has read answers.

    Attributes:
        name: for tables.
        title: its model's own title, "" for none.
        kind: what gives the labels.
        rubric_sha256: of the rubric's two texts (see `rubric_digest`), "" without a rubric.
    """

    id: str
    name: str
    title: str
    kind: JudgeKind
    rubric_sha256: str = ""


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """How an answered trial stands under one judge: its label, or whether the judge failed."""

    label: Label | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class UnjudgedAnswer:
    """An answer that a judge has not read yet.

    Attributes:
        key: the trial's.
        category: the scenario's.
        context: the category's text as it was read.
        task: the user message without the suffix: what a blind judge sees.
        user: the user message as the model got it.
        answer: what the model wrote after its reasoning.
    """

    key: str
    category: str
    context: str
    task: str
    user: str
    answer: str


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """What a server replied, and what it charged for it.

    Attributes:
        way: how it was asked.
        model: what it calls the model that answered.
        request: its own name for the exchange.
        text: the reply as written.
        dollars: None where nobody knows the price.
    """

    way: str
    model: str
    request: str
    text: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """How an answer came from a server.

    Attributes:
        url: the server's address.
        form: what it was given: "prompt" or "messages".
        model: what it calls the model that answered.
        fingerprint: its mark of its set-up, "" for none.
        request: its own name for the exchange.
        tries: how often the prompt was sent, this time included.
    """

    url: str
    form: str
    model: str
    fingerprint: str
    request: str
    tries: int


@dataclass(frozen=True, slots=True)
class JudgeCost:
    """What a judge has cost so far, by the server's own count."""

    replies: int
    input_tokens: int
    output_tokens: int
    dollars: float | None


def now() -> str:
    """Return the time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def digest(*parts: str) -> str:
    """Return the sha256 of the parts, 64 hex digits."""
    return sha256("\0".join(parts).encode()).hexdigest()


def as_json(value: object) -> str:
    """Return the value as JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def adder(db: Database) -> Callable[[str, Iterable[Sequence[Any]]], None]:
    """Return a function that adds rows to a table, those already there left alone."""

    def add(table: str, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", row)

    return add


def update_descriptions(db: Database, trials: Iterable[Sequence[Any]]) -> None:
    """Tell trials that are there, rows as of `trial_row`, by their scenario's and condition's
    present words, where these are other ones."""
    sql = """UPDATE trials SET scenario = ?2, condition = ?3, planned_at = ?4
        WHERE key = ?1 AND (scenario, condition) <> (?2, ?3)"""
    for key, _, scenario, condition, *_, planned_at in trials:
        db.execute(sql, [key, scenario, condition, planned_at])


def model_row(model: Model, facts: ModelFacts) -> tuple[Any, ...]:
    """Return a row of `models`."""
    f = facts
    told = (f.title, f.architecture, f.description, f.parameters, f.template_sha256, f.template)
    return (model.sha256, model.name, str(model.path), model.size, *told, model.origin)


def scenario_row(scenario: Scenario) -> tuple[str, ...]:
    """Return a row of `scenarios`; its id is a hash of its texts."""
    s = scenario
    texts = (s.name, s.category, s.title, s.task, s.system)
    return (digest(*texts), *texts)


def condition_row(condition: Condition) -> tuple[str, ...]:
    """Return a row of `conditions`; its id is a hash of its texts."""
    c = condition
    return (digest(c.name, c.suffix, c.about), c.name, c.suffix, c.about)


def trial_row(prompt: Prompt, planned_at: str) -> tuple[Any, ...]:
    """Return a row of `trials`."""
    t = prompt.trial
    ids = (t.model.sha256, scenario_row(t.scenario)[0], condition_row(t.condition)[0])
    sampling = as_json(t.sampling.as_dict())
    drawn = (sampling, t.sampling.temperature, t.sample)
    return (prompt.key, *ids, digest(prompt.text), *drawn, planned_at)


def unjudged(row: dict[str, Any]) -> UnjudgedAnswer:
    """Return the answer that a row of the query of unjudged ones holds."""
    user = steer(row["task"], row["suffix"])
    return UnjudgedAnswer(
        row["key"], row["category"], row["system"], row["task"], user, row["answer"]
    )


def judge_info(judge: str, name: str, settings: str) -> JudgeInfo:
    """Return the judge that a row of `judges` holds."""
    known = json.loads(settings)
    rubric = known.get("rubric")
    return JudgeInfo(
        id=judge,
        name=name,
        title=known["title"],
        kind=parse_judge_kind(judge),
        rubric_sha256=rubric_digest(rubric["system"], rubric["user"]) if rubric else "",
    )


LABELS: dict[str | None, Label | None] = {None: None, **{str(label): label for label in Label}}
CELLS = {(text, failed): TrialStatus(label, failed) for text, label in LABELS.items()
         for failed in (False, True)}  # fmt: skip


def outcome(
    scenario: str,
    category: str,
    condition: str,
    sample: int,
    stop: str | None,
    label: str | None,
    failure: str | None,
    digest: str | None,
    drawn: str | None,
) -> Outcome:
    """Return the outcome that these columns of the query of outcomes hold."""
    answered, failed, kind = stop is not None, bool(failure), LABELS[label]
    cut = None if stop == StopReason.UNKNOWN else stop == StopReason.LENGTH
    return Outcome(
        scenario, category, condition, sample, answered, cut, kind, failed, digest, drawn
    )
