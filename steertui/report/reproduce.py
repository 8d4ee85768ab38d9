"""Reproduction record: the experiment file, condition texts and settings stored with it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steertui.analysis.summary import Summary
from steertui.core.condition import Condition
from steertui.core.experiment import parse_experiment
from steertui.core.model import ModelBackend
from steertui.errors import SteertuiError
from steertui.store import Store
from steertui.store.judge_queries import judge_records
from steertui.store.setup_queries import (
    StoredModel,
    runs,
    used_conditions,
    used_models,
    used_samplings,
)


@dataclass(frozen=True, slots=True)
class ReproductionRecord:
    """What is needed to run an experiment again.

    Attributes:
        experiment: the experiment's id.
        created_at: time of the first planning, ISO 8601 in UTC.
        toml: the newest experiment file, in the form that `--experiment` reads. Judges of earlier
            files that differ from it only in judges are added.
        conditions: conditions in planned order.
        facts: pairs of name and value: models with hashes, judge settings, versions, devices.
    """

    experiment: str
    created_at: str
    toml: str
    conditions: tuple[Condition, ...]
    facts: tuple[tuple[str, str], ...]


def reproduction_records(store: Store, summary: Summary) -> Iterator[ReproductionRecord]:
    """Yield the record of each experiment of a summary."""
    for known in store.experiments():
        if known.id in summary.experiments:
            yield ReproductionRecord(
                experiment=known.id,
                created_at=known.created_at,
                toml=_toml(store.plans(known.id)),
                conditions=tuple(used_conditions(store, known.id)),
                facts=tuple(_facts(store, known.id)),
            )


def _toml(plans: Sequence[str]) -> str:
    """Return the newest plan; judges of plans that differ only in judges are added."""
    try:
        experiments = [parse_experiment(toml) for toml in plans]
    except SteertuiError:
        return plans[-1]  # written by another version
    newest = experiments[-1]
    same = [e for e in experiments if replace(e, judges=[]) == replace(newest, judges=[])]
    judges = list(dict.fromkeys(judge for e in same for judge in e.judges))
    if judges == newest.judges:
        return plans[-1]
    return replace(newest, judges=judges).to_toml()


def _facts(store: Store, experiment: str) -> Iterator[tuple[str, str]]:
    for model in used_models(store, experiment):
        yield from _model_facts(model)
    for sampling in used_samplings(store, experiment):
        yield "sampling", _plain(sampling)
    for judge in judge_records(store, experiment):
        yield f"judge {judge.name}", f"{judge.id}; {_plain(judge.settings)}"
    for run in runs(store, experiment):
        started = run.started_at[:16].replace("T", " ")
        facts = (run.device, _plain(run.versions), _plain(run.settings))
        yield f"run of {started} UTC", "; ".join(facts)


def _model_facts(model: StoredModel) -> Iterator[tuple[str, str]]:
    digest = f"sha256 {model.sha256}"
    if model.backend is ModelBackend.SERVER:
        digest = f"sha256 of the server metadata {model.sha256}, {model.origin}"
    size = f", {model.size:,} bytes" if model.size else ""
    yield f"model {model.name}", f"{model.title}: {model.description}{size}, {digest}"
    if model.template_sha256:
        yield f"chat template of {model.name}", f"sha256 {model.template_sha256}"
    for note in model.notes:
        yield f"prompts of {model.name}", note


def _plain(text: str) -> str:
    """Return the members of a JSON object as "name value, …"; any other text unchanged."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(members, dict):
        return text
    return ", ".join(f"{name} {value}" for name, value in members.items())
