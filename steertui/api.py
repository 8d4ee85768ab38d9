"""Public Python API: load an experiment, run it, open a database, count the results."""

from collections.abc import Callable
from pathlib import Path

from steertui.analysis.summary import Summary, summarise_experiment
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.errors import SteertuiError
from steertui.execution import Event
from steertui.execution import run as run_plan
from steertui.judge.control import load_control_set
from steertui.planning.experiment_files import load_experiment
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.model_groups import expand_models
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.planning.supply import supply_experiment
from steertui.store import Store
from steertui.store.run_lock import run_lock

__all__ = [
    "Event",
    "Experiment",
    "Overrides",
    "SteertuiError",
    "Store",
    "Summary",
    "load_experiment",
    "open_store",
    "run",
    "summarise",
]


def run(
    experiment: Experiment,
    db: str | Path,
    *,
    overrides: Overrides | None = None,
    on_event: Callable[[Event], object] | None = None,
) -> Summary:
    """Run the trials that the database lacks; return the results of the whole experiment.

    Missing weights and texts are downloaded first. Answers and verdicts are stored one by one, so a
    run that ends early is resumed by the same call. The call does not ask for consent: check an
    experiment of other people first (`models`, `judges` and `template` name servers and
    files).

    Args:
        experiment: the experiment to run.
        db: the SQLite file; created if it does not exist.
        overrides: settings of the engine, such as the number of slots [default: chosen for this
            machine].
        on_event: called with every event of the run, for progress; an exception ends the run.

    Raises:
        SteertuiError: a name is unknown, a file is missing, or another process runs on `db`.
    """
    experiment = expand_models(experiment)
    for _ in supply_experiment(experiment, Path(db)):
        pass
    with Store(Path(db)) as store:
        options = JudgeServerOptions(control_set=load_control_set())
        plan = make_plan(resolve(experiment, store=store), store, options)
        with run_lock(store.path):
            for event in run_plan(plan, store, overrides or Overrides(), options):
                if on_event is not None:
                    on_event(event)
        return summarise_experiment(store, plan.id)


def open_store(db: str | Path) -> Store:
    """Open an existing database; close it, or use it in a `with` statement.

    Raises StoreError if there is no such file, or it is not a database of steertui.
    """
    return Store(Path(db), must_exist=True)


def summarise(store: Store, experiment: str | None = None) -> Summary:
    """Return the counts, rates, gaps and warnings of one experiment.

    Args:
        store: an open database.
        experiment: id of an experiment [default: the one planned last].

    Raises:
        ExperimentError: the database holds no such experiment.
    """
    return summarise_experiment(store, store.resolve_experiment(experiment))
