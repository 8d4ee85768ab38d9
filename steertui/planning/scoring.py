"""Answers that the unsteered model scores, as a measure of coherence."""

from collections.abc import Sequence
from typing import assert_never

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.prompt import Prompt
from steertui.server.model import ServerModel


def prompts_to_score(experiment: Experiment, prompts: Sequence[Prompt]) -> list[Prompt]:
    """Return the prompts whose answers the unsteered model is to score (`Experiment.coherence`)."""
    on_axis = {p.trial.condition.step.axis for p in prompts if p.trial.condition.step}
    return [
        prompt
        for prompt in prompts
        if not isinstance(prompt.trial.model, ServerModel)
        and _is_wanted(experiment, prompt.trial.condition, has_axis=bool(on_axis))
    ]


def _is_wanted(experiment: Experiment, condition: Condition, *, has_axis: bool) -> bool:
    match experiment.coherence:
        case "doses":
            return has_axis and (condition.step is not None or not condition.groups)
        case "all":
            return True
        case "none":
            return False
        case _:
            assert_never(experiment.coherence)
