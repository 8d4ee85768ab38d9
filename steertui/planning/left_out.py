"""Models that are left out of an experiment because they cannot be planned."""

from dataclasses import dataclass, replace

from steertui.assets.weights import is_local_file, locate_weights
from steertui.core.experiment import Experiment
from steertui.core.model import is_server
from steertui.errors import ModelError


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model of an experiment that cannot be planned.

    Attributes:
        name: as in the experiment.
        reason: one sentence with a remedy.
    """

    name: str
    reason: str


def without_missing_files(experiment: Experiment) -> tuple[Experiment, tuple[LeftOut, ...]]:
    """Return the experiment without the models whose local files are missing, and these models.

    Raises ModelError if no model is left.
    """
    missing: dict[str, ModelError] = {}
    for name in experiment.models:
        try:
            if not is_server(name) and is_local_file(name):
                locate_weights(name)
        except ModelError as exc:
            missing[name] = exc
    if not missing:
        return experiment, ()
    names = [name for name in experiment.models if name not in missing]
    if not names:
        raise next(iter(missing.values()))
    left_out = tuple(LeftOut(name, str(exc)) for name, exc in missing.items())
    return replace(experiment, models=names), left_out
