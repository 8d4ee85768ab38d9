"""A Trial: scenario × condition × model × sampling × sample, and the grid of them."""

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
    """One cell of the grid; `sample` counts from 0."""

    model: Model
    scenario: Scenario
    condition: Condition
    sampling: SamplingParams
    sample: int = 0

    @property
    def user(self) -> str:
        """The user message: the task, steered."""
        return self.condition.steer(self.scenario.task)

    def key(self, prompt: str) -> str:
        """Return the trial's content key, see `content_key`."""
        sampling = self.sampling.as_dict()
        names = self.scenario.name, self.condition.name
        return content_key(self.model.sha256, *names, prompt, sampling, self.sample)


def content_key(
    model: str,
    scenario: str,
    condition: str,
    prompt: str,
    sampling: Mapping[str, object],
    sample: int,
) -> str:
    """Return a trial's key, 64 hex digits, of its model's identity, names, texts and numbers.

    It hashes all that decides the answer and nothing else, so the same trial has the same
    key on every machine, and an edited text or setting makes a new trial.
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
    """Yield every trial of a model, those that share a prompt's beginning next to each other.

    Temperature 0 gives one sample only: a second would be the first again.
    """
    for scenario in scenarios:
        for condition in conditions:
            for sampling in samplings:
                for sample in range(distinct_samples(samples, sampling.temperature)):
                    yield Trial(model, scenario, condition, sampling, sample)
