"""Trials: the grid of model × scenario × condition × sampling × sample, and their content keys."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.generation import SamplingParams, distinct_samples
from steertui.core.interventions import Interventions, intervention_members
from steertui.core.model import Model
from steertui.core.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Trial:
    """One cell of the grid.

    Attributes:
        sample: index from 0.
        interventions: the condition's interventions on activations and weights, resolved for
            the model.
    """

    model: Model
    scenario: Scenario
    condition: Condition
    sampling: SamplingParams
    sample: int = 0
    interventions: Interventions = ()

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
        return next(self.sample_keys(prompt, [self.sample]))

    def sample_keys(self, prompt: str, samples: Iterable[int]) -> Iterator[str]:
        """Yield the content key of each sample of this trial's prompt and settings."""
        return _content_keys(
            model=self.model.sha256,
            scenario=self.scenario.name,
            condition=self.condition.name,
            prompt=prompt,
            sampling=self.sampling.as_dict(),
            samples=samples,
            interventions=self.interventions,
        )


def content_key(
    model: str,
    scenario: str,
    condition: str,
    prompt: str,
    sampling: Mapping[str, object],
    sample: int,
    interventions: Interventions = (),
) -> str:
    """Return a trial's content key: a sha256 of all that determines the answer, 64 hex digits.

    The same trial has the same key on every machine; a changed text or setting makes a new trial.
    Empty interventions are left out, so that unsteered trials keep the keys of earlier versions.

    Args:
        model: the model's identity (`Model.sha256`).
        scenario: the scenario's name.
        condition: the condition's name.
        prompt: the whole prompt.
        sampling: `SamplingParams.as_dict`.
        sample: index of the sample, from 0.
        interventions: interventions on activations and weights.
    """
    return next(
        _content_keys(
            model=model,
            scenario=scenario,
            condition=condition,
            prompt=prompt,
            sampling=sampling,
            samples=[sample],
            interventions=interventions,
        )
    )


def _content_keys(
    *,
    model: str,
    scenario: str,
    condition: str,
    prompt: str,
    sampling: Mapping[str, object],
    samples: Iterable[int],
    interventions: Interventions,
) -> Iterator[str]:
    """Yield the keys of several samples, whose hashed text differs only in the sample's index."""
    # The fields are sorted by name: "sample" is between these two groups.
    before = _compact_json({"condition": condition, "model": model, "prompt": prompt})
    last: dict[str, object] = {"sampling": sampling, "scenario": scenario}
    if interventions:
        last["steering"] = intervention_members(interventions)
    after = _compact_json(last)
    common = hashlib.sha256(f'{before[:-1]},"sample":'.encode())
    for sample in samples:
        digest = common.copy()
        digest.update(f"{sample},{after[1:]}".encode())
        yield digest.hexdigest()


def _compact_json(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def expand_grid(
    model: Model,
    scenarios: Sequence[Scenario],
    conditions: Sequence[Condition],
    samplings: Sequence[SamplingParams],
    samples: int,
    interventions: Mapping[str, Interventions],
) -> Iterator[Trial]:
    """Yield every trial of a model; trials with a common prompt prefix are adjacent.

    `interventions` are those on activations and weights by the condition's name, absent for none.
    At temperature 0 there is one sample per prompt (`distinct_samples`).
    """
    for scenario in scenarios:
        for condition in conditions:
            for sampling in samplings:
                for sample in range(distinct_samples(samples, sampling.temperature)):
                    applied = interventions.get(condition.name, ())
                    yield Trial(model, scenario, condition, sampling, sample, interventions=applied)
