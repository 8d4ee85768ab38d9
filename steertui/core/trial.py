"""Trials: the grid of model × scenario × condition × sampling × sample, and their content keys."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.generation import SamplingParams, distinct_samples
from steertui.core.model import Model
from steertui.core.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Trial:
    """One cell of the grid; `sample` is an index from 0."""

    model: Model
    scenario: Scenario
    condition: Condition
    sampling: SamplingParams
    sample: int = 0

    @property
    def user(self) -> str:
        """The user message: the task with the condition's suffix."""
        return self.condition.steer(self.scenario.task)

    def key(self, prompt: str) -> str:
        """Return the trial's content key (see `content_key`)."""
        return content_key(
            model=self.model.sha256,
            scenario=self.scenario.name,
            condition=self.condition.name,
            prompt=prompt,
            sampling=self.sampling.as_dict(),
            sample=self.sample,
        )


def content_key(
    model: str,
    scenario: str,
    condition: str,
    prompt: str,
    sampling: Mapping[str, object],
    sample: int,
) -> str:
    """Return a trial's content key: a sha256 of all that determines the answer, 64 hex digits.

    The same trial has the same key on every machine; a changed text or setting makes a new trial.

    Args:
        model: the model's identity (`Model.sha256`).
        scenario: the scenario's name.
        condition: the condition's name.
        prompt: the whole prompt.
        sampling: `SamplingParams.as_dict`.
        sample: index of the sample, from 0.
    """
    fields = {
        "model": model,
        "scenario": scenario,
        "condition": condition,
        "prompt": prompt,
        "sampling": sampling,
        "sample": sample,
    }
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
