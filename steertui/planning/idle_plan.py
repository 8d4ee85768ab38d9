"""Reasons for which a run of a stored experiment has nothing to do, found without its weights."""

from pathlib import Path

from steertui.core.experiment import Experiment
from steertui.core.model import ModelBackend
from steertui.errors import WithRemedy
from steertui.paths import exists
from steertui.planning.complete_plan import can_render, newest_plan
from steertui.planning.experiment_estimate import estimate_experiment
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.origin import Origin
from steertui.planning.reach import missing_sizes
from steertui.planning.supply import requirements_of
from steertui.store import Store
from steertui.store.setup_queries import used_models

IMPORTED = WithRemedy(
    "the answers of this experiment were imported, so a run has nothing to generate",
    "`steertui judge` labels them by another judge",
)
COMPLETE = (
    "all answers and labels of this experiment are stored, so a run has nothing to do and "
    "downloads no weights"
)


def idle_reason(
    experiment: Experiment, db: Path, options: JudgeServerOptions, origin: Origin
) -> str:
    """Return why a run would have nothing to do; "" if it has, or if it needs no download.

    Without a download the run itself finds out what is missing. Raises SteertuiError if the
    database cannot be read, or for a wrong name of a model.
    """
    if is_imported(experiment, db):
        return IMPORTED
    has_all = can_render(experiment) and not any(missing_sizes(requirements_of(experiment)))
    if not exists(db) or has_all:
        return ""
    return COMPLETE if estimate_experiment(experiment, db, options, origin).is_complete else ""


def is_imported(experiment: Experiment, db: Path) -> bool:
    """Return whether a database has an experiment with these settings, imported with its answers.

    Raises StoreError if the database cannot be read.
    """
    if not exists(db):
        return False
    with Store(db, must_exist=True) as store:
        stored = newest_plan(store, experiment)
        models = used_models(store, stored.id) if stored else []
    return bool(models) and all(model.backend is ModelBackend.IMPORTED for model in models)
