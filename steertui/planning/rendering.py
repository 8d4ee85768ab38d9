"""Prompts of a design, rendered for each model: with its GGUF's chat template or its servers'."""

from collections.abc import Sequence

from steertui.core.model import Model
from steertui.core.prompt import Prompt
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import ExperimentError
from steertui.planning.chat_formats import chat_format, format_notes
from steertui.planning.preflight import render_for_server
from steertui.planning.resolve import Design
from steertui.server.model import ServerModel
from steertui.store import ModelFacts


def render_prompts(design: Design) -> tuple[tuple[Prompt, ...], dict[str, ModelFacts]]:
    """Return the prompts in the grid's order, and each model's metadata by its sha256.

    Raises ExperimentError if a prompt does not fit a model's context, ModelError or ServerError if
    a model cannot take prompts.
    """
    prompts: list[Prompt] = []
    facts: dict[str, ModelFacts] = {}
    for model in design.models:
        model_prompts, facts[model.sha256] = _render(design, model)
        prompts += model_prompts
    return tuple(prompts), facts


def _render(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    if isinstance(model, ServerModel):
        return render_for_server(design, model)
    with vocabulary(model.path) as gguf:
        chat = chat_format(gguf, model.name, design.experiment.template)
        trials = [trial for trial in design.trials if trial.model == model]
        prompts = chat.write(trials, design.experiment.thinking)
        _check_lengths(gguf, prompts)
        facts = ModelFacts(
            title=gguf.meta("general.name"),
            architecture=gguf.meta("general.architecture"),
            description=gguf.description,
            parameters=gguf.parameters,
            template=chat.template,
            template_sha256=chat.sha256,
            notes=format_notes(gguf, chat, prompts, design.experiment.template),
        )
        return prompts, facts


def _check_lengths(gguf: Vocabulary, prompts: Sequence[Prompt]) -> None:
    """Raise ExperimentError if a prompt with its new tokens exceeds the model's context."""
    limit = gguf.require_context()
    texts = list(dict.fromkeys(prompt.text for prompt in prompts))
    lengths = dict(zip(texts, gguf.count(texts), strict=True))
    for prompt in prompts:
        trial = prompt.trial
        need = lengths[prompt.text] + trial.sampling.max_tokens
        if need > limit:
            raise ExperimentError(
                f"{trial.scenario.name} under {trial.condition.name}: prompt and --max-tokens need "
                f"{need} tokens, and the context of {trial.model.name} is {limit}; lower "
                "--max-tokens"
            )
