"""Answers of an experiment that a run would let the unsteered model score."""

from steertui.core.experiment import Experiment
from steertui.planning.scoring import conditions_to_score
from steertui.store import Store
from steertui.store.progress_queries import unscored_counts
from steertui.store.setup_queries import used_conditions


def pending_scores(store: Store, id: str, experiment: Experiment | None) -> int:
    """Return the number of stored answers that the plan wants scored and that are not.

    `id` is the experiment's; `experiment` is its plan, None if it cannot be read.
    """
    if experiment is None:
        return 0
    wanted = conditions_to_score(experiment, used_conditions(store, id))
    counts = unscored_counts(store, id) if wanted else {}
    return sum(count for name, count in counts.items() if name in wanted)
