"""Answers that the unsteered model scores, as a measure of coherence."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.prompt import Prompt
from steertui.server.model import ServerModel


def prompts_to_score(experiment: Experiment, prompts: Sequence[Prompt]) -> list[Prompt]:
    """Return the prompts whose answers the unsteered model is to score (`Experiment.coherence`)."""
    wanted = conditions_to_score(experiment, (prompt.trial.condition for prompt in prompts))
    return [
        prompt
        for prompt in prompts
        if prompt.trial.condition.name in wanted and not isinstance(prompt.trial.model, ServerModel)
    ]


def conditions_to_score(experiment: Experiment, conditions: Iterable[Condition]) -> frozenset[str]:
    """Return the names of the conditions whose answers are scored, among all of the experiment."""
    known = {condition.name: condition for condition in conditions}
    match experiment.coherence:
        case "doses":
            has_axis = any(condition.step for condition in known.values())
            on_axis = {name for name, c in known.items() if c.step or not c.groups}
            return frozenset(on_axis if has_axis else ())
        case "all":
            return frozenset(known)
        case "none":
            return frozenset()
        case _:
            assert_never(experiment.coherence)
