"""Queries on the set-up of an experiment: conditions, models, sampling, runs, scenario texts."""

import json
from collections.abc import Sequence
from typing import Literal, NamedTuple

from steertui.core.condition import Condition, stored_condition
from steertui.core.model import ModelBackend
from steertui.core.scenario import Scenario, full_title
from steertui.store.records import ModelSetting
from steertui.store.store import Store

_TEXTS = {
    "scenario": "n.task || char(0) || trim(n.system, char(10, 13, 9, 32))",
    "condition": "trim(n.suffix, char(10, 13, 9, 32)) || char(0) || n.spec",
}
"""SQL of the texts that a name stands for, without white space at the ends."""


class StoredModel(NamedTuple):
    """A model as stored.

    Attributes:
        sha256: identity of the weights.
        title: title in the GGUF or at the server.
        description: architecture, size and quantisation in one line.
        size: bytes of the weights, 0 if unknown.
        origin: repository and revision, or server; "" for a local file.
        template_sha256: of the chat template of this experiment, "" if unknown.
        notes: what a user must know of the prompts, each a sentence without a full stop.
    """

    sha256: str
    name: str
    title: str
    description: str
    size: int
    origin: str
    template_sha256: str
    backend: ModelBackend
    notes: tuple[str, ...]


class WeightFacts(NamedTuple):
    """Facts of a model's file: number of parameters, 0 if unknown, and architecture, "" if so."""

    parameters: int
    architecture: str


class StoredRun(NamedTuple):
    """A run as stored; `versions` and `settings` are JSON objects, the time is ISO 8601 in UTC."""

    started_at: str
    versions: str
    device: str
    settings: str


class TrialSetup(NamedTuple):
    """One combination of settings among the trials of a table.

    Attributes:
        condition: the condition's name.
        model_description: the model's description.
        template_sha256: of the chat template, "" if unknown.
        max_tokens: limit of new tokens, None if not stored.
        stop_tokens: tokens that end an answer, None if not stored.
        has_system: whether the scenario has a system message.
        opens_thinking: whether the prompt ends with an open <think> tag, or the server applies
            the chat template.
    """

    condition: str
    suffix: str
    model_description: str
    template_sha256: str
    max_tokens: int | None
    repetition_penalty: float
    presence_penalty: float
    stop_tokens: str | None
    has_system: bool
    opens_thinking: bool


def used_conditions(store: Store, experiment: str) -> list[Condition]:
    """Return the experiment's conditions in planned order."""
    sql = """SELECT c.name, c.suffix, c.about, c.spec FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN conditions AS c ON c.id = t.condition
        WHERE e.experiment = ? GROUP BY c.id ORDER BY min(e.place)"""
    return [stored_condition(*columns) for columns in store.tuples(sql, [experiment])]


def count_answers_before(store: Store, experiment: str, time: str) -> int:
    """Return the number of the experiment's answers that were stored before a time (ISO 8601)."""
    # An answer is stored after the start of its run; without an earlier run none has to be read.
    if not store.column("SELECT EXISTS (SELECT 1 FROM runs WHERE started_at < ?)", [time])[0]:
        return 0
    sql = """SELECT count(*) FROM experiment_trials AS e JOIN generations AS g ON g.trial = e.trial
        WHERE e.experiment = ? AND g.created_at < ?"""
    return int(store.column(sql, [experiment, time])[0])


def used_models(store: Store, experiment: str) -> list[StoredModel]:
    """Return the experiment's models."""
    sql = """SELECT DISTINCT m.sha256, m.name, m.title, m.description, m.size, m.origin,
            coalesce(f.template_sha256, m.template_sha256), m.backend, coalesce(f.notes, '[]')
        FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN models AS m ON m.sha256 = t.model
        LEFT JOIN prompt_formats AS f ON f.experiment = e.experiment AND f.model = t.model
        WHERE e.experiment = ?"""
    return [
        StoredModel._make((*fields, ModelBackend(backend), stored_notes(notes)))
        for *fields, backend, notes in store.tuples(sql, [experiment])
    ]


def is_imported(store: Store, experiment: str) -> bool:
    """Whether all answers of the experiment were imported: every one of its models was."""
    sql = """SELECT NOT EXISTS (SELECT 1 FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN models AS m ON m.sha256 = t.model
        WHERE e.experiment = ? AND m.backend <> ?)"""
    return bool(store.column(sql, [experiment, ModelBackend.IMPORTED])[0])


def weight_facts(store: Store) -> dict[str, WeightFacts]:
    """Return the facts of every stored model by the identity of its weights."""
    rows = store.tuples("SELECT sha256, parameters, architecture FROM models")
    return {sha256: WeightFacts(*facts) for sha256, *facts in rows}


def stored_notes(text: str) -> tuple[str, ...]:
    """Return the notes in a column of the store, a JSON list; () for another value."""
    try:
        notes = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(map(str, notes)) if isinstance(notes, list) else ()


def used_samplings(store: Store, experiment: str) -> list[str]:
    """Return the experiment's sampling parameters, each a JSON object."""
    sql = """SELECT DISTINCT t.sampling FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial WHERE e.experiment = ?"""
    return store.column(sql, [experiment])


def runs(store: Store, experiment: str) -> list[StoredRun]:
    """Return the experiment's runs in the order they were started."""
    sql = "SELECT started_at, versions, device, settings FROM runs WHERE experiment = ?"
    return [StoredRun(*row) for row in store.tuples(sql, [experiment])]


def ambiguous_names(
    store: Store, noun: Literal["scenario", "condition"], experiments: Sequence[str]
) -> list[str]:
    """Return the names that have more than one text in these experiments."""
    marks = ", ".join("?" * len(experiments))
    sql = f"""SELECT n.name FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN {noun}s AS n ON n.id = t.{noun} WHERE e.experiment IN ({marks})
        GROUP BY n.name HAVING count(DISTINCT {_TEXTS[noun]}) > 1"""
    return store.column(sql, experiments)


def condition_ids(store: Store, experiments: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return the ids of the conditions by experiment and name."""
    marks = ", ".join("?" * len(experiments))
    sql = f"""SELECT DISTINCT e.experiment, c.name, c.id FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN conditions AS c ON c.id = t.condition
        WHERE e.experiment IN ({marks})"""
    return {(experiment, name): id_ for experiment, name, id_ in store.tuples(sql, [*experiments])}


def scenario_titles(store: Store) -> dict[str, str]:
    """Return the scenarios' titles by name; those that are cut have more of the task's words."""
    rows = store.tuples("SELECT name, title, substr(task, 1, 400) FROM scenarios")
    return {name: full_title(title, task) for name, title, task in rows}


def scenarios_by_task(store: Store, experiment: str, setting: ModelSetting) -> dict[str, list[str]]:
    """Return the names of a table's scenarios by their task."""
    sql = """SELECT DISTINCT s.name, s.task FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN scenarios AS s ON s.id = t.scenario
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"""
    names: dict[str, list[str]] = {}
    for name, task in store.tuples(sql, [experiment, setting.model, setting.temperature]):
        names.setdefault(task, []).append(name)
    return names


def trial_setups(store: Store, experiment: str, setting: ModelSetting) -> list[TrialSetup]:
    """Return the distinct combinations of settings among a table's trials."""
    sql = """SELECT DISTINCT c.name, c.suffix, m.description,
            coalesce(f.template_sha256, m.template_sha256),
            json_extract(t.sampling, '$.max_tokens'),
            json_extract(t.sampling, '$.repetition_penalty'),
            json_extract(t.sampling, '$.presence_penalty'),
            json_extract(t.sampling, '$.end'), s.system <> '',
            rtrim(p.text, char(10) || ' ') LIKE '%<think>'
                OR coalesce(f.template, m.template) = ''
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN conditions AS c ON c.id = t.condition JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN prompts AS p ON p.sha256 = t.prompt
        LEFT JOIN prompt_formats AS f ON f.experiment = e.experiment AND f.model = t.model
        WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"""
    rows = store.tuples(sql, [experiment, setting.model, setting.temperature])
    return [
        TrialSetup._make((*fields, bool(has_system), bool(opens_thinking)))
        for *fields, has_system, opens_thinking in rows
    ]


def used_scenarios(store: Store, experiment: str) -> list[Scenario]:
    """Return the experiment's scenarios in planned order."""
    sql = """SELECT s.name, s.category, s.title, s.task, s.system FROM experiment_trials AS e
        JOIN trials AS t ON t.key = e.trial JOIN scenarios AS s ON s.id = t.scenario
        WHERE e.experiment = ? GROUP BY s.id ORDER BY min(e.place)"""
    scenarios = []
    for name, category, title, task, system in store.tuples(sql, [experiment]):
        pack, _, identity = name.partition("/")
        scenarios.append(Scenario(pack, identity, category, title, task=task, system=system))
    return scenarios


def used_template(store: Store, experiment: str) -> str:
    """Return the chat template of the experiment's first model, "" if unknown."""
    sql = "SELECT template FROM prompt_formats WHERE experiment = ? ORDER BY model LIMIT 1"
    return next(iter(store.column(sql, [experiment])), "")


def planned_keys(store: Store, experiment: str) -> set[str]:
    """Return the keys of the experiment's trials."""
    sql = "SELECT trial FROM experiment_trials WHERE experiment = ?"
    return set(store.column(sql, [experiment]))
