"""One prompt of an experiment, as an example in its plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.core.prompt import Prompt


@dataclass(frozen=True, slots=True)
class ExamplePrompt:
    """A rendered prompt, and the trial that it is of.

    Attributes:
        model: the model's name.
        scenario: the scenario's name.
        condition: the condition's name.
        text: the whole prompt up to the start of the answer, special tokens as text.
    """

    model: str
    scenario: str
    condition: str
    text: str


def example_prompt(prompts: Sequence[Prompt]) -> ExamplePrompt | None:
    """Return the prompt of the first scenario under the first condition that changes its text.

    It is the first prompt of all if no condition changes the text; None without prompts.
    """
    if not prompts:
        return None
    baseline = prompts[0].trial.scenario.task
    own = [p for p in prompts if p.trial.scenario == prompts[0].trial.scenario]
    steered = (p for p in own if p.trial.condition.steer(baseline) != baseline)
    chosen = next(steered, prompts[0])
    trial = chosen.trial
    return ExamplePrompt(trial.model.name, trial.scenario.name, trial.condition.name, chosen.text)
