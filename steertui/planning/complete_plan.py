"""Stored plans of which nothing is left to do, so that nothing has to be downloaded for them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from steertui.assets.weights import locate_header, locate_weights
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.model import is_server
from steertui.errors import SteertuiError
from steertui.planning.scoring import conditions_to_score
from steertui.store import Store
from steertui.store.progress_queries import unscored_counts
from steertui.store.records import StoredExperiment
from steertui.store.setup_queries import used_conditions


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
