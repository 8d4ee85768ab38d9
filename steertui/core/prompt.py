"""Prompt of a trial: rendered by a chat template, or chat messages for a server."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Literal, TypeVar

from steertui.core.markers import MINIMAX, is_marker
from steertui.core.prompt_check import Fidelity, fidelity, missing_part
from steertui.core.reasoning import open_reasoning, opens_reasoning
from steertui.core.template_traits import TEMPLATE_DATE, MessageForm, TemplateTraits
from steertui.core.trial import Trial
from steertui.errors import ModelError
from steertui.sandbox.child import OUT_OF_MEMORY
from steertui.sandbox.parent import TOO_LARGE, TOO_LONG, UNREADABLE, Refused, Sandbox, Stopped

T = TypeVar("T")

_BRACKETED = re.compile(r"<[^][<>]{1,68}>|\[[^][<>]{1,68}\]")

Thinking = Literal["template", "force", "off"]
"""Whether the prompt opens the reasoning: as the chat template does (templates for the same weights
differ); for every thinking model, with hybrid models set to reason; or never, with hybrid models
set not to reason."""

SECONDS = 5.0
"""Maximum CPU time of one prompt, in seconds."""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """Prompt rendered by a chat template.

    Attributes:
        text: the whole prompt up to the start of the answer, special tokens as text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class ChatMessages:
    """Chat messages for a server that applies the chat template itself.

    Attributes:
        messages: as in OpenAI's API, with keys "role" and "content".
        settings: settings of the request that belong to the prompt, such as one that turns
            thinking off.
    """

    messages: tuple[Mapping[str, str], ...]
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, object]:
        """The part of the request body that the prompt determines."""
        return {"messages": [dict(message) for message in self.messages], **self.settings}

    @property
    def text(self) -> str:
        """The body as JSON."""
        return json.dumps(self.body, ensure_ascii=False)


PromptContent = RenderedPrompt | ChatMessages


@dataclass(frozen=True, slots=True)
class Prompt:
    """A trial's prompt.

    Attributes:
        trial: the trial.
        content: a rendered prompt, or chat messages for a server.
        key: the trial's content key.
    """

    trial: Trial
    content: PromptContent
    key: str

    @property
    def text(self) -> str:
        """The content as it is stored and hashed."""
        return self.content.text

    @property
    def prefill(self) -> str:
        """Beginning of the answer, which ends the prompt; "" for none."""
        return self.trial.condition.prefill.strip()

    @property
    def seed(self) -> int:
        """The trial's own seed, 63 bits: the same in any slot, order and batch."""
        return int(self.key[:16], 16) >> 1


class ChatFormat:
    """A model's chat template, rendered in a sandbox.

    `tokens` are the special tokens by the names of transformers, such as "bos_token". `control` are
    the vocabulary's control tokens, if known (see `neutralise_control_tokens`). Raises ModelError
    if there is no template.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        template: str,
        tokens: Mapping[str, str],
        *,
        model: str,
        control: frozenset[str] = frozenset(),
    ) -> None:
        if not template:
            raise ModelError(
                f"{model}: has no chat template; give one, or choose a GGUF that carries one"
            )
        self.template = template
        self.control = control
        self._sandbox = sandbox
        self._tokens = dict(tokens)
        self._model = model

    @property
    def sha256(self) -> str:
        """sha256 of the template's text; publishers of the same weights ship different ones."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    @cached_property
    def traits(self) -> TemplateTraits:
        """Traits of the template, found by rendering known texts."""
        (found,) = self._ask("probe", dict, [()])
        try:
            return TemplateTraits(MessageForm.from_json(found["form"]), bool(found["is_dated"]))
        except (KeyError, TypeError, ValueError):
            self._sandbox.close()
            raise ModelError(
                f"{self._model}: {_ending(UNREADABLE)}; do not use this model"
            ) from None

    def render(
        self,
        messages: Sequence[tuple[str, str]],
        *,
        thinking: bool | None = None,
        names: Sequence[str] = (),
    ) -> list[str]:
        """Return the prompt for each (system, user) pair; see `ChatTemplate.render`.

        `names` say which prompt a pair belongs to. Raises ModelError, with the name of the prompt,
        if the template fails on it, exceeds a limit, or leaves out a message.
        """
        texts = self._render(messages, thinking, names)
        for index, (text, (system, user)) in enumerate(zip(texts, messages, strict=True)):
            parts = {"system message": system, "user message": user}
            self._require(text, parts, self._place(names, index))
        return texts

    def _render(
        self,
        messages: Sequence[tuple[str, str]],
        thinking: bool | None,
        names: Sequence[str] = (),
    ) -> list[str]:
        settings = (self.traits.form.as_json, thinking)
        return self._ask("render", str, messages, settings=settings, names=names)

    def _ask(
        self,
        function: str,
        kind: type[T],
        items: Sequence[Sequence[object]],
        *,
        settings: Sequence[object] = (),
        names: Sequence[str] = (),
    ) -> list[T]:
        """Return the child's answers; `names` say which prompt an item belongs to."""
        shared = (self.template, self._tokens, *settings)
        try:
            return self._sandbox.ask(function, kind, shared, items, SECONDS)
        except Refused as exc:
            raise ModelError(f"{self._place(names, exc.index)}: {exc.sentence}") from None
        except Stopped as exc:
            raise ModelError(
                f"{self._place(names, exc.index)}: {_ending(exc.cause)}; do not use this model"
            ) from None

    def _require(self, text: str, parts: Mapping[str, str], place: str) -> None:
        """Raise ModelError if the prompt at `place` lacks one of these texts."""
        missing = missing_part(parts, text)
        if missing:
            raise ModelError(
                f"{place}: its chat template leaves out or changes the {missing}; choose another "
                "model or another chat template"
            )

    def _place(self, names: Sequence[str], index: int) -> str:
        return f"{self._model}, {names[index]}" if index < len(names) else self._model

    def write(self, trials: Sequence[Trial], thinking: Thinking = "template") -> list[Prompt]:
        """Return each trial's prompt and key; each scenario and condition is rendered once.

        Raises ModelError, with the names of scenario and condition, where `render` would, if a
        prompt lacks a text of the trial, and if a prefill would begin the reasoning.
        """
        cells = {(t.scenario, t.condition): t for t in trials}
        messages = [(trial.system, trial.user) for trial in cells.values()]
        names = [f"{scenario.name} under {condition.name}" for scenario, condition in cells]
        rendered = self._render(messages, _SWITCH[thinking], names)
        for index, (trial, text) in enumerate(zip(cells.values(), rendered, strict=True)):
            self._require(text, _parts(trial), self._place(names, index))
        text_of = dict(zip(cells, rendered, strict=True))
        prompts: list[Prompt] = []
        for _, group in groupby(trials, _all_but_sample):
            samples = list(group)
            first = samples[0]
            text = self._opened(first, text_of[first.scenario, first.condition], thinking)
            keys = first.sample_keys(text, (trial.sample for trial in samples))
            content = RenderedPrompt(text)
            prompts += (Prompt(t, content, key) for t, key in zip(samples, keys, strict=True))
        return prompts

    def _opened(self, trial: Trial, rendered: str, thinking: Thinking) -> str:
        """Return the rendered prompt with the opening of the reasoning or the condition's prefill.

        Raises ModelError if a prefill would follow opened reasoning.
        """
        is_to_open = thinking == "force" and trial.model.kind == "thinking"
        text = open_reasoning(rendered, self.template) if is_to_open else rendered
        prefill = trial.condition.prefill.strip()
        if prefill and opens_reasoning(text):
            raise ModelError(
                f"{trial.model.name}: its prompt opens the reasoning, and condition "
                f'{trial.condition.name} prefills the answer; set thinking to "off", or leave '
                "this condition out"
            )
        return text + prefill

    def notes(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        """Yield sentences on how the template departs from the messages of these prompts."""
        distinct = {prompt.text: prompt.trial for prompt in prompts}
        if self.traits.is_dated:
            yield (
                f"The chat template asks for the date and always gets {TEMPLATE_DATE:%d %B %Y}, so "
                "that prompts do not depend on the day"
            )
        with_system = sum(bool(trial.system) for trial in distinct.values())
        if self.traits.form.system is None and with_system:
            yield (
                "The chat template has no place for a system message; the system text precedes the "
                f"user message in {with_system:,} of {len(distinct):,} prompts"
            )
        spaced = sum(fidelity(t.user, text) is Fidelity.SPACED for text, t in distinct.items())
        if spaced:
            yield (
                f"The chat template removes white space of the user message in {spaced:,} of "
                f"{len(distinct):,} prompts"
            )


_SWITCH: Mapping[Thinking, bool | None] = {"template": None, "force": True, "off": False}
"""Value of `enable_thinking`; None leaves the variable undefined."""


def _parts(trial: Trial) -> dict[str, str]:
    """Return the texts that a trial's prompt must contain, by their names in messages."""
    return {
        "system message": trial.system,
        "prefix": trial.condition.prefix.strip(),
        "task": trial.scenario.task.strip(),
        "suffix": trial.condition.suffix.strip(),
    }


def _all_but_sample(trial: Trial) -> tuple[object, ...]:
    return trial.model, trial.scenario, trial.condition, trial.sampling, trial.interventions


def _ending(cause: str) -> str:
    if cause == TOO_LONG:
        return "its chat template exceeds the CPU time limit"
    if cause in (OUT_OF_MEMORY, TOO_LARGE):
        return "its chat template uses more than the allowed memory"
    return f"the process that renders its chat template ended ({cause})"


def neutralise_control_tokens(text: str, control: frozenset[str] = frozenset()) -> str:
    """Return the text with every chat marker of a known model family broken by a zero-width space.

    `control` names the vocabulary's own control tokens, which are broken, too. Text without
    markers is returned unchanged. Inside a judge's prompt a model's answer is data: it
    must not end its own quotation.
    """

    def broken(found: re.Match[str]) -> str:
        mark = found.group()
        is_mark = mark in control or is_marker(mark)
        return f"{mark[0]}\u200b{mark[1:]}" if is_mark else mark

    # First, since such a mark may begin with the bracket that ends another one.
    text = MINIMAX.sub(lambda found: f"{found.group()[0]}\u200b{found.group()[1:]}", text)
    return _BRACKETED.sub(broken, text)
