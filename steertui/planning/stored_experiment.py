"""The experiments of a database as plans: what was planned, and what a bare command means."""

from pathlib import Path

from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.model import DEMO
from steertui.errors import ExperimentError, SteertuiError
from steertui.paths import exists
from steertui.planning.consent import stored_origin
from steertui.planning.origin import TYPED, Origin
from steertui.store import Store, StoredExperiment


def parse_stored(stored: StoredExperiment, db: Path) -> tuple[Experiment | None, Origin]:
    """Return a stored experiment and its origin.

    The experiment is None if another version of steertui planned it: it can be read, but not run.
    """
    try:
        experiment = parse_experiment(stored.toml)
    except SteertuiError:
        return None, TYPED
    return experiment, stored_origin(experiment, db)


def newest_experiment(db: Path) -> tuple[Experiment, Origin] | None:
    """Return the experiment of a database that was planned last, and its origin; None if none is.

    Raises ExperimentError if another version of steertui planned it.
    """
    stored = _stored(db)
    if not stored:
        return None
    experiment, origin = parse_stored(stored[-1], db)
    if experiment is None:
        raise ExperimentError(
            f"{db}: its newest experiment was planned by another version of steertui; "
            "give the options of the experiment to run"
        )
    return experiment, origin


def require_demo_is_meant(db: Path) -> None:
    """Raise ExperimentError if the demo would be added to experiments that do not have it."""
    stored = _stored(db)
    if stored and not any(_has_demo(one) for one in stored):
        raise ExperimentError(
            f"{db}: no model is given, and the experiments of this database do not have the demo; "
            "name the model with --model, or give the demo a database of its own"
        )


def _has_demo(stored: StoredExperiment) -> bool:
    try:
        return DEMO in parse_experiment(stored.toml).models
    except SteertuiError:
        return True


def _stored(db: Path) -> list[StoredExperiment]:
    if not exists(db):
        return []
    with Store(db, must_exist=True) as store:
        return store.experiments()
