"""Prompts of a sweep: validation scenarios, plain and with both texts of a vector's contrast."""

from dataclasses import dataclass

from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.core.trial import Trial
from steertui.engine.vocabulary import Vocabulary
from steertui.errors import ExperimentError
from steertui.planning.chat_formats import chat_format
from steertui.planning.contrast_pairs import TRAINING_PACK
from steertui.planning.resolve import resolve_texts
from steertui.steering.vector import SteeringVector

MIN_SCENARIOS = 3
"""Fewest validation scenarios."""


@dataclass(frozen=True, slots=True)
class SweepPrompts:
    """Tokens of the prompts of each validation scenario.

    Attributes:
        scenarios: their names.
        plain: prompts without an addition.
        positive: prompts with the text that the vector points to.
        negative: prompts with the text that it points away from.
    """

    scenarios: tuple[str, ...]
    plain: tuple[list[int], ...]
    positive: tuple[list[int], ...]
    negative: tuple[list[int], ...]


def sweep_prompts(
    model: Model,
    vector: SteeringVector,
    gguf: Vocabulary,
    *,
    conditions_file: str,
    template: str,
    limit: int,
) -> SweepPrompts:
    """Return the prompts of scenarios of the training pack that the vector was not trained on.

    Args:
        model: the vector's model.
        vector: its contrast names the two conditions; pro and anti if it is unknown.
        gguf: of the model.
        conditions_file: as in an experiment.
        template: chat template, as in an experiment.
        limit: maximum number of scenarios; 0 for all.

    Raises:
        ExperimentError: a condition is unknown, or fewer than `MIN_SCENARIOS` scenarios are left.
    """
    origin = vector.provenance
    names = [origin.positive or "pro", origin.negative or "anti"]
    experiment = Experiment(
        scenarios=[TRAINING_PACK], conditions=names, conditions_file=conditions_file
    )
    known, conditions = resolve_texts(experiment)
    unseen = [s for s in known if not vector.is_trained_on(s.name, s.task)]
    if len(unseen) < MIN_SCENARIOS:
        raise ExperimentError(
            f"{len(unseen)} of {len(known)} scenarios of {TRAINING_PACK} are left for validation, "
            f"and a sweep needs {MIN_SCENARIOS}; train the vector on at most 24 scenarios"
        )
    scenarios = unseen[: limit or None]
    chat = chat_format(gguf, model.name, template)
    sides = (
        [Trial(model, scenario, condition, SamplingParams()) for scenario in scenarios]
        for condition in (Condition("plain"), *conditions)
    )
    plain, positive, negative = (
        tuple(gguf.tokenize([prompt.text for prompt in chat.write(trials)])) for trials in sides
    )
    return SweepPrompts(tuple(s.name for s in scenarios), plain, positive, negative)
