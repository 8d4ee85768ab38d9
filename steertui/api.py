"""Public Python API: load an experiment, run it, open a database, count the results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steertui.analysis.summary import ReportFilter, Summary, summarise_experiment
from steertui.analysis.summary import summarise as summarise_selection
from steertui.core.experiment import Experiment
from steertui.engine.sizing import Overrides
from steertui.errors import ExperimentError, SteertuiError
from steertui.execution import Event
from steertui.execution import run as run_plan
from steertui.judge.control import load_control_set
from steertui.paper.comparison import compare_with_paper
from steertui.planning.experiment_files import load_experiment
from steertui.planning.judges import JudgeServerOptions
from steertui.planning.model_groups import expand_models
from steertui.planning.new_database import resolve_before_creation
from steertui.planning.plan import make_plan
from steertui.planning.resolve import resolve
from steertui.planning.supply import supply_experiment
from steertui.report import rows
from steertui.stats.rate import Policy
from steertui.store import Store
from steertui.store.run_lock import run_lock

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = [
    "Event",
    "Experiment",
    "Frames",
    "Overrides",
    "SteertuiError",
    "Store",
    "Summary",
    "load",
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
    options = JudgeServerOptions(control_set=load_control_set())
    design = resolve_before_creation(Path(db), experiment, options)
    with run_lock(Path(db)) as set_experiment, Store(Path(db)) as store:
        plan = make_plan(design or resolve(experiment, store=store), store, options)
        set_experiment(plan.id)
        for event in run_plan(plan, store, overrides or Overrides(), options):
            if on_event is not None:
                on_event(event)
        return summarise_experiment(store, plan.id)


def open_store(db: str | Path) -> Store:
    """Open an existing database; close it, or use it in a `with` statement.

    Raises StoreError if there is no such file, or it is not a database of steertui.
    """
    return Store(Path(db), must_exist=True)


@dataclass(frozen=True, slots=True)
class Frames:
    """Results of a database as pandas data frames.

    Attributes:
        trials: one row per trial and judge, with all texts; the columns of `--format trials-csv`,
            whose escaped characters are the stored ones here.
        rates: one row per table and condition, and per category ("" for all); rates and limits are
            proportions.
        gaps: one row per comparison of two conditions; gaps and limits are in percentage points.
        summary: the tables, with sentences and warnings.
    """

    trials: DataFrame
    rates: DataFrame
    gaps: DataFrame
    summary: Summary


def load(db: str | Path, *experiments: str, policy: str = "paper") -> Frames:
    """Return the results of a database as data frames; the numbers are those of the report.

    Args:
        db: an existing database.
        experiments: names, ids or "all" [default: the experiment planned last].
        policy: denominator of convergence rates: "paper" leaves out nonsensical answers, "all" is
            all, "exclude-refusals" leaves out safety refusals as well.

    Raises:
        StoreError: there is no such file, or it is not a database of steertui.
        ExperimentError: there is no such experiment or policy, or pandas is not installed.
    """
    try:
        from pandas import DataFrame
    except ImportError:
        raise ExperimentError(
            "load needs pandas; install it with: pip install 'steertui[pandas]'"
        ) from None
    if policy not in list(Policy):
        raise ExperimentError(f"policy {policy}: no such policy; give one of {', '.join(Policy)}")
    with open_store(db) as store:
        summary = summarise_selection(store, ReportFilter(experiments, policy=Policy(policy)))
        trials = list(rows.trials(store, summary, compare_with_paper(store, summary)))
        rates = list(rows.rates(store, summary))
    return Frames(
        trials=DataFrame(trials, columns=list(rows.COLUMN_TYPES)),
        rates=DataFrame(rates),
        gaps=DataFrame(list(rows.gaps(summary))),
        summary=summary,
    )


def summarise(store: Store, experiment: str | None = None) -> Summary:
    """Return the counts, rates, gaps and warnings of one experiment.

    Args:
        store: an open database.
        experiment: id of an experiment [default: the one planned last].

    Raises:
        ExperimentError: the database holds no such experiment.
    """
    return summarise_experiment(store, store.resolve_experiment(experiment))
