"""Conditions of a plan with their texts, also before its estimate is there."""

from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.condition_files import expand_groups, load_conditions
from steertui.core.experiment import Experiment
from steertui.core.interventions import VectorRecipe
from steertui.planning.estimate import Estimate
from steertui.planning.origin import Origin
from steertui.planning.resolve import conditions_of_file, vector_recipes

PRO = "pro"
"""Condition from whose text the editor starts."""


@dataclass(frozen=True, slots=True)
class ConditionTexts:
    """Conditions of a plan.

    Attributes:
        used: the plan's conditions, without names that its file lacks.
        pro: the plan's condition `pro`, else that of its file, else the shipped one.
        recipes: trainings of vectors in the plan's file.
    """

    used: tuple[Condition, ...]
    pro: Condition
    recipes: tuple[VectorRecipe, ...]


def read_texts(experiment: Experiment, origin: Origin, estimate: Estimate | None) -> ConditionTexts:
    """Return the conditions of a plan: those of its estimate if it has any, else of its file.

    Raises SteertuiError if the file must not or cannot be read.
    """
    used = estimate.conditions if estimate else ()
    if not used:
        origin.require_readable(experiment)
    known = {} if estimate and estimate.is_as_stored else conditions_of_file(experiment)
    if not used:
        names = expand_groups(experiment.conditions, known)
        used = tuple(known[name] for name in names if name in known)
    pro = {**load_conditions(), **known, **{c.name: c for c in used}}[PRO]
    return ConditionTexts(used, pro, vector_recipes(experiment))
