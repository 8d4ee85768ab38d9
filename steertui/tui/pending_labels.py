"""Labels pending of an experiment: those that a run would ask the planned judges for."""

from collections.abc import Iterable
from dataclasses import replace

from steertui.core.experiment import Experiment
from steertui.core.judge_kind import parse_judge_kind
from steertui.errors import SteertuiError
from steertui.planning.consent import open_question
from steertui.planning.judges import (
    JudgeServerOptions,
    judge_names,
    openable_judges,
    with_stored_names,
)
from steertui.planning.origin import Origin
from steertui.store import Store

UNKNOWN = "unknown"
"""Stands for a planned judge whose id is unknown and that has given no label."""


def pending_labels(store: Store, experiment: str, answered: int, planned: list[str]) -> int:
    """Return the number of labels pending of an experiment with `answered` answers.

    `planned` are the ids of its judges.
    """
    return len(planned) * answered - count_labels(store, experiment, planned)


def planned_judges(
    store: Store,
    id: str,
    experiment: Experiment | None,
    origin: Origin,
    options: JudgeServerOptions,
) -> list[str]:
    """Return the ids of an experiment's judges; imported labels are left out, as no run makes them.

    `id` is the experiment's. If weights are missing or may not be opened yet, or a name is wrong,
    the ids are unknown: as many judges that labelled its answers stand for them, or else `UNKNOWN`.
    """
    if experiment is None:
        return []
    names = labelling_judges(experiment)
    if not names:
        return []
    experiment = replace(experiment, judges=names)
    labelling = [judge.id for judge in store.judges(id) if not judge.kind.is_reference]
    unknown = [*labelling, *[UNKNOWN] * len(names)][: len(names)]
    try:
        is_agreed = open_question(experiment, origin) is None
        found = openable_judges(experiment, options, is_agreed=is_agreed)
    except SteertuiError:
        return unknown
    ids = [judge.id for judge in with_stored_names(found, store) if not isinstance(judge, str)]
    return ids if len(ids) == len(found) else unknown


def labelling_judges(experiment: Experiment | None) -> list[str]:
    """Return the names of the judges that a run of an experiment asks for labels."""
    names = judge_names(experiment) if experiment else []
    return [name for name in names if not parse_judge_kind(name).is_imported]


def first_judge(store: Store, experiment: str) -> str:
    """Return the id of the experiment's first judge with labels, people last; "" for none."""
    judges = sorted(store.judges(experiment), key=lambda info: info.kind.is_reference)
    return judges[0].id if judges else ""


def count_labels(store: Store, experiment: str, judges: Iterable[str]) -> int:
    """Return the number of labels that these judges gave to answers of the experiment."""
    return sum(store.count_judged(experiment, judge) for judge in judges)
