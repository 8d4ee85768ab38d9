"""Trials: the grid of model × scenario × condition × sampling × sample, and their content keys."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.generation import SamplingParams, distinct_samples
from steertui.core.interventions import Steering, steering_members
from steertui.core.model import Model
from steertui.core.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Trial:
    """One cell of the grid.

    Attributes:
        sample: index from 0.
        steering: the condition's interventions on activations and weights, resolved for the model.
    """

    model: Model
    scenario: Scenario
    condition: Condition
    sampling: SamplingParams
    sample: int = 0
    steering: Steering = ()

    @property
    def user(self) -> str:
        """The user message: the task with the condition's prefix and suffix."""
        return self.condition.steer(self.scenario.task)

    @property
    def system(self) -> str:
        """The system message: the scenario's text with the condition's; "" for none."""
        return self.condition.system_message(self.scenario.system)

    def key(self, prompt: str) -> str:
        """Return the trial's content key (see `content_key`)."""
        return content_key(
            model=self.model.sha256,
            scenario=self.scenario.name,
            condition=self.condition.name,
            prompt=prompt,
            sampling=self.sampling.as_dict(),
            sample=self.sample,
            steering=self.steering,
        )


def content_key(
    model: str,
    scenario: str,
    condition: str,
    prompt: str,
    sampling: Mapping[str, object],
    sample: int,
    steering: Steering = (),
) -> str:
    """Return a trial's content key: a sha256 of all that determines the answer, 64 hex digits.

    The same trial has the same key on every machine; a changed text or setting makes a new trial.
    An empty steering is left out, so that unsteered trials keep the keys of earlier versions.

    Args:
        model: the model's identity (`Model.sha256`).
        scenario: the scenario's name.
        condition: the condition's name.
        prompt: the whole prompt.
        sampling: `SamplingParams.as_dict`.
        sample: index of the sample, from 0.
        steering: interventions on activations and weights.
    """
    fields: dict[str, object] = {
        "model": model,
        "scenario": scenario,
        "condition": condition,
        "prompt": prompt,
        "sampling": sampling,
        "sample": sample,
    }
    if steering:
        fields["steering"] = steering_members(steering)
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def expand_grid(
    model: Model,
    scenarios: Sequence[Scenario],
    conditions: Sequence[Condition],
    samplings: Sequence[SamplingParams],
    samples: int,
) -> Iterator[Trial]:
    """Yield every trial of a model; trials with a common prompt prefix are adjacent.

    At temperature 0 there is one sample per prompt (`distinct_samples`).
    """
    for scenario in scenarios:
        for condition in conditions:
            for sampling in samplings:
                for sample in range(distinct_samples(samples, sampling.temperature)):
                    yield Trial(model, scenario, condition, sampling, sample)
