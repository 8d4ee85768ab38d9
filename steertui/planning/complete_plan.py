"""Stored plans of which nothing is left to do, so that nothing has to be downloaded for them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from steertui.assets.weights import locate_header, locate_weights
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.judge_kind import JudgeKind
from steertui.core.model import Model, is_server
from steertui.errors import SteertuiError
from steertui.judge.local import LocalJudge
from steertui.judge.rubric import load_rubric
from steertui.planning.scoring import conditions_to_score
from steertui.store import Store
from steertui.store.judge_queries import JudgeRecord, local_judges
from steertui.store.progress_queries import unscored_counts
from steertui.store.records import StoredExperiment
from steertui.store.setup_queries import used_conditions
from steertui.untrusted import parse_json


def newest_plan(store: Store, experiment: Experiment) -> StoredExperiment | None:
    """Return the newest stored plan with the settings of an experiment, whatever its name."""
    return next((s for s in reversed(store.experiments()) if _is_plan_of(s, experiment)), None)


def is_complete(
    store: Store, stored: StoredExperiment, experiment: Experiment, judges: Sequence[str]
) -> bool:
    """Return whether a run of a stored plan has no answer, label or log-likelihood to add.

    `judges` are the ids of those that label the answers in a run.
    """
    if len(store.answered_keys(stored.id)) < stored.trials:
        return False
    wanted = conditions_to_score(experiment, used_conditions(store, stored.id))
    counts = unscored_counts(store, stored.id) if wanted else {}
    if any(counts.get(name) for name in wanted):
        return False
    return all(store.count_judged(stored.id, id) == stored.trials for id in judges)


def imported_judges(store: Store, experiment: str) -> frozenset[str]:
    """Return the names of judges whose labels were imported; no run makes more of them."""
    return frozenset(info.name for info in store.judges(experiment) if info.kind.is_imported)


def stored_judge(name: str, experiment: Experiment, store: Store) -> JudgeRecord | None:
    """Return the stored judge of a local judge's name whose weights are not on this machine.

    Rubric, view and method are those of the experiment; the weights are known by their name only.
    """
    model = name.removeprefix(JudgeKind.LOCAL.prefix)
    rubric = load_rubric(experiment.rubric)
    for record in local_judges(store):
        digest = str(parse_json(record.settings).get("model"))
        judge = LocalJudge(
            Model(model, Path(), digest, 0),
            rubric,
            experiment.hide_suffix,
            experiment.debias,
            stored_name=record.name,
        )
        weights = record.name.removeprefix(JudgeKind.LOCAL.prefix).partition("/")[0]
        if judge.id == record.id and _plain(weights) == _plain(model.rpartition("/")[2]):
            return record
    return None


def _plain(name: str) -> str:
    """Return the lower-case letters and digits of the name of weights, without "gguf"."""
    return "".join(filter(str.isalnum, name.lower())).replace("gguf", "")


def can_render(experiment: Experiment) -> bool:
    """Return whether the weights or headers of all models are on this machine."""
    return all(
        not is_server(name) and (locate_weights(name) or locate_header(name))
        for name in experiment.models
    )


def _is_plan_of(stored: StoredExperiment, experiment: Experiment) -> bool:
    with suppress(SteertuiError):
        return replace(parse_experiment(stored.toml), name=experiment.name) == experiment
    return False
