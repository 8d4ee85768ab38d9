"""Prompts of a design, rendered for each model: with its GGUF's chat template or its servers'."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.assets.weights import locate_header, locate_weights
from steertui.core.experiment import Experiment
from steertui.core.model import Model, is_server
from steertui.core.prompt import Prompt
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.errors import EngineError, ExperimentError, ModelError, SteertuiError
from steertui.planning.chat_formats import chat_format, format_notes
from steertui.planning.context_length import require_context
from steertui.planning.left_out import LeftOut
from steertui.planning.preflight import render_for_server
from steertui.planning.resolve import Design, resolve
from steertui.server.model import ServerModel
from steertui.store import ModelFacts, Store


@dataclass(frozen=True, slots=True)
class Rendering:
    """Prompts of a design.

    Attributes:
        design: without the models that are left out.
        prompts: in the grid's order.
        facts: metadata of each model by its sha256.
        left_out: models that cannot be planned, those of the design first.
    """

    design: Design
    prompts: tuple[Prompt, ...]
    facts: dict[str, ModelFacts]
    left_out: tuple[LeftOut, ...] = ()


def render_prompts(design: Design, *, leaves_out: bool = False) -> Rendering:
    """Return the prompts of a design, in the grid's order.

    With `leaves_out`, a model is left out if the prompts cannot be written for it (no chat
    template, a context that is too short, an unreadable file) and others remain.

    Raises ExperimentError if a prompt does not fit a model's context, ModelError, EngineError or
    ServerError if a model cannot take prompts.
    """
    prompts: list[Prompt] = []
    facts: dict[str, ModelFacts] = {}
    failed: dict[str, SteertuiError] = {}
    for name, model in zip(design.experiment.models, design.models, strict=True):
        try:
            model_prompts, facts[model.sha256] = _render(design, model)
        except (ModelError, ExperimentError, EngineError) as exc:
            if not leaves_out:
                raise
            failed[name] = exc
        else:
            prompts += model_prompts
    if failed and not facts:
        raise next(iter(failed.values()))
    own = (LeftOut(name, str(exc)) for name, exc in failed.items())
    left_out = (*design.left_out, *own)
    return Rendering(design.without(failed), tuple(prompts), facts, left_out)


def render_present(
    experiment: Experiment, store: Store | None, *, leaves_out: bool
) -> Rendering | None:
    """Return the prompts of an experiment as `render_prompts` does.

    None if a model is behind servers, or neither its weights nor its header are on this machine.
    """
    for name in experiment.models:
        if is_server(name) or not (locate_weights(name) or locate_header(name)):
            return None
    design = resolve(experiment, store=store, leaves_out=leaves_out)
    return render_prompts(design, leaves_out=leaves_out)


def _render(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    if isinstance(model, ServerModel):
        return render_for_server(design, model)
    return render_for_gguf(design, model)


def render_for_gguf(design: Design, model: Model) -> tuple[list[Prompt], ModelFacts]:
    """Return the prompts and the metadata of a model whose GGUF, or its header, is here.

    Raises ExperimentError if a prompt does not fit its context, ModelError or EngineError if it
    cannot take prompts.
    """
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
    for prompt in sorted(prompts, key=lambda prompt: -lengths[prompt.text]):
        owner = f"the context of {prompt.trial.model.name}"
        longer = "choose a model with a longer context"
        require_context(prompt.trial, lengths[prompt.text], limit, owner, longer)
