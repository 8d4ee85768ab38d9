"""Totals of an experiment's rows that Run shows beside the status of each trial."""

from dataclasses import dataclass, field

from steertui.core.experiment import Experiment
from steertui.store import Store
from steertui.store.progress_queries import failed_readings, failure_reasons
from steertui.tui.pending_labels import count_labels
from steertui.tui.pending_scores import pending_scores


@dataclass(frozen=True, slots=True)
class StoredTotals:
    """Failures, labels, scores and cost that are stored.

    Attributes:
        failures: reasons by the key of the trial that could not be answered.
        dollars: cost of all judges so far, in US dollars.
        others_labelled: labels of the planned judges that are not shown.
        others_failed: (trial, judge) of the answers that they failed to label.
        unplanned_labelled: labels of all others, such as people, which no run asks for.
        unscored: answers that the unsteered model is to score and has not.
    """

    failures: dict[str, str] = field(default_factory=dict)
    dollars: float = 0.0
    others_labelled: int = 0
    others_failed: frozenset[tuple[str, str]] = frozenset()
    unplanned_labelled: int = 0
    unscored: int = 0


def read_totals(
    store: Store, id: str, plan: Experiment | None, judge: str, others: tuple[str, ...]
) -> StoredTotals:
    """Return the totals of the experiment with this id.

    `plan` is None if it cannot be read. `judge` is the id of the shown judge, and `others` are
    those of the other planned ones.
    """
    infos = store.judges(id)
    unplanned = [info.id for info in infos if info.id not in (judge, *others)]
    return StoredTotals(
        failures=failure_reasons(store, id),
        dollars=sum(store.judge_cost(info.id).dollars or 0.0 for info in infos),
        others_labelled=count_labels(store, id, others),
        others_failed=failed_readings(store, id, others),
        unplanned_labelled=count_labels(store, id, unplanned),
        unscored=pending_scores(store, id, plan),
    )
