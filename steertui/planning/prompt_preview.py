"""Prompts of one model of an experiment, to be read before it runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from steertui.assets.weights import find_planned_model, locate_header, locate_weights
from steertui.core.condition import Condition
from steertui.core.experiment import Experiment
from steertui.core.model import is_server
from steertui.core.scenario import Scenario
from steertui.engine.vocabulary import vocabulary
from steertui.errors import SteertuiError
from steertui.planning.consent import open_question
from steertui.planning.origin import Origin
from steertui.planning.rendering import render_for_gguf
from steertui.planning.resolve import Design, resolve_texts

Span = tuple[int, int]
"""First character of a part of a text, and the one after its end."""


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """Prompts of an experiment for one of its models.

    Attributes:
        scenarios: of the experiment, in the grid's order.
        conditions: of the experiment, in the grid's order.
        rendered: whole prompts up to the start of the answer, special tokens as text, by the names
            of scenario and condition; empty if they cannot be rendered before the run.
        tokens: number of tokens by rendered prompt.
        control: texts of the model's control tokens.
        context: the model's context in tokens; 0 if it is unknown.
        max_tokens: maximum number of new tokens.
        notes: what a user must know of the prompts, each a sentence without a full stop; first why
            they cannot be rendered, if so.
    """

    scenarios: tuple[Scenario, ...]
    conditions: tuple[Condition, ...]
    rendered: Mapping[tuple[str, str], str]
    tokens: Mapping[str, int]
    control: frozenset[str]
    context: int
    max_tokens: int
    notes: tuple[str, ...]


def preview_prompts(experiment: Experiment, name: str, origin: Origin) -> PromptPreview:
    """Return the prompts of the experiment's model `name`, without a request or a download.

    The weights of a received experiment are opened only after the user agreed to it. Raises
    SteertuiError if scenarios or conditions cannot be read.
    """
    is_agreed = open_question(experiment, origin) is None
    scenarios, conditions = resolve_texts(experiment)
    try:
        reason = _reason(name, is_agreed=is_agreed)
        if not reason:
            return _rendered(experiment, name, scenarios, conditions)
    except SteertuiError as exc:
        reason = f"These are the messages, since the prompt cannot be rendered: {exc}"
    return PromptPreview(
        scenarios=scenarios,
        conditions=conditions,
        rendered={},
        tokens={},
        control=frozenset(),
        context=0,
        max_tokens=experiment.max_tokens,
        notes=(reason,),
    )


def _reason(name: str, *, is_agreed: bool) -> str:
    """Return why a model's prompts cannot be rendered before the run; "" if they may be."""
    if not is_agreed:
        return (
            "These are the messages without a chat template: the weights of a received experiment "
            "are opened only after you agreed to its run"
        )
    if is_server(name):
        return (
            "These are the messages; whether the server or steertui applies the chat template is "
            "known when a run has contacted the server"
        )
    if not (locate_weights(name) or locate_header(name)):
        return (
            "These are the messages; the chat template is part of the weights, which are not on "
            "this machine"
        )
    return ""


def _rendered(
    experiment: Experiment,
    name: str,
    scenarios: tuple[Scenario, ...],
    conditions: tuple[Condition, ...],
) -> PromptPreview:
    """Return the prompts as a GGUF's chat template renders them."""
    model = find_planned_model(name)
    single = replace(experiment, models=[name], samples=1, temperatures=experiment.temperatures[:1])
    design = Design(single, (model,), scenarios, conditions)
    prompts, facts = render_for_gguf(design, model)
    texts = list(dict.fromkeys(prompt.text for prompt in prompts))
    with vocabulary(model.path) as gguf:
        return PromptPreview(
            scenarios=scenarios,
            conditions=conditions,
            rendered={(p.trial.scenario.name, p.trial.condition.name): p.text for p in prompts},
            tokens=dict(zip(texts, gguf.count(texts), strict=True)),
            control=gguf.control_texts,
            context=gguf.require_context(),
            max_tokens=design.samplings(model)[0].max_tokens,
            notes=facts.notes,
        )


def added_spans(text: str, scenario: Scenario, condition: Condition) -> list[Span]:
    """Return where a rendered prompt has the texts of its condition, in the text's order.

    A message that the chat template changes has no spans.
    """
    prefill = condition.prefill.strip()
    end = len(text) - len(prefill)
    spans = [
        *_parts_of(text, condition.system_message(scenario.system), after=condition.system),
        *_parts_of(
            text[:end],
            condition.steer(scenario.task),
            before=condition.prefix,
            after=condition.suffix,
        ),
    ]
    if prefill and text.endswith(prefill):
        spans.append((end, len(text)))
    return sorted(spans)


def messages_of(scenario: Scenario, condition: Condition) -> list[tuple[str, str, list[Span]]]:
    """Return (title, text, spans of the condition's texts) of the messages before any template."""
    system = condition.system_message(scenario.system)
    user = condition.steer(scenario.task)
    before, after = condition.prefix, condition.suffix
    messages = [
        ("System message", system, [*_parts_of(system, system, after=condition.system)]),
        ("User message", user, [*_parts_of(user, user, before=before, after=after)]),
    ]
    prefill = condition.prefill.strip()
    messages.append(("Beginning of the answer", prefill, [(0, len(prefill))]))
    return [message for message in messages if message[1]]


def _parts_of(text: str, message: str, *, before: str = "", after: str = "") -> Iterator[Span]:
    """Yield the spans of a message's first part and last part; "" for a part that it lacks."""
    message, first, last = message.strip(), before.strip(), after.strip()
    start = text.rfind(message) if message else -1
    if start >= 0:
        if first:
            yield start, start + len(first)
        if last:
            end = start + len(message)
            yield end - len(last), end
