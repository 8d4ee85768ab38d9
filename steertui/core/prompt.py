"""Prompt of a trial: rendered by a chat template, or chat messages for a server."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from steertui.core.markers import MINIMAX, is_marker
from steertui.core.reasoning import THINK
from steertui.core.trial import Trial
from steertui.errors import ModelError
from steertui.sandbox.child import OUT_OF_MEMORY
from steertui.sandbox.parent import TOO_LARGE, TOO_LONG, Refused, Sandbox, Stopped

_BRACKETED = re.compile(r"<[^][<>]{1,68}>|\[[^][<>]{1,68}\]")

Thinking = Literal["template", "force", "off"]
"""Whether the prompt opens the reasoning: as the GGUF's chat template does (templates for the same
weights differ), for every thinking model, or never; then hybrid models are set not to reason."""

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

    `control` are the vocabulary's control tokens, if known (see `neutralise_control_tokens`).
    Raises ModelError if there is no template.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        template: str,
        bos: str,
        eos: str,
        model: str,
        control: frozenset[str] = frozenset(),
    ) -> None:
        if not template:
            raise ModelError(f"{model}: has no chat template; choose a GGUF that carries one")
        self.template = template
        self.control = control
        self._sandbox = sandbox
        self._tokens = (bos, eos)
        self._model = model

    @property
    def sha256(self) -> str:
        """sha256 of the template's text; publishers of the same weights ship different ones."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    def render(
        self,
        messages: Sequence[tuple[str, str]],
        *,
        thinking: bool = True,
        names: Sequence[str] = (),
    ) -> list[str]:
        """Return the prompt for each (system, user) pair; see `ChatTemplate.render`.

        `names` say which prompt a pair belongs to. Raises ModelError, with the name of the prompt,
        where the template fails on it or exceeds a limit.
        """
        items = [(system, user, thinking) for system, user in messages]
        shared = (self.template, *self._tokens)
        try:
            return self._sandbox.ask("render", str, shared, items, SECONDS)
        except Refused as exc:
            raise ModelError(f"{self._place(names, exc.index)}: {exc.sentence}") from None
        except Stopped as exc:
            raise ModelError(
                f"{self._place(names, exc.index)}: {_ending(exc.cause)}; do not use this model"
            ) from None

    def _place(self, names: Sequence[str], index: int) -> str:
        return f"{self._model}, {names[index]}" if index < len(names) else self._model

    def write(self, trials: Sequence[Trial], thinking: Thinking = "template") -> list[Prompt]:
        """Return each trial's prompt and key; each scenario and condition is rendered once.

        Raises ModelError where a template fails, or a prefill would begin the reasoning.
        """
        cells = {(t.scenario, t.condition): t for t in trials}
        rendered = self.render(
            [(trial.system, trial.user) for trial in cells.values()],
            thinking=thinking != "off",
            names=[f"{s.name} under {c.name}" for s, c in cells],
        )
        text_of = dict(zip(cells, rendered, strict=True))
        prompts: list[Prompt] = []
        for _, group in groupby(trials, _all_but_sample):
            samples = list(group)
            first = samples[0]
            text = _opened(first, text_of[first.scenario, first.condition], thinking)
            keys = first.sample_keys(text, (trial.sample for trial in samples))
            content = RenderedPrompt(text)
            prompts += (Prompt(t, content, key) for t, key in zip(samples, keys, strict=True))
        return prompts


def _all_but_sample(trial: Trial) -> tuple[object, ...]:
    return trial.model, trial.scenario, trial.condition, trial.sampling, trial.steering


def _opened(trial: Trial, rendered: str, thinking: Thinking) -> str:
    """Return the rendered prompt with the opening of the reasoning or the condition's prefill."""
    is_open = rendered.rstrip().endswith(THINK.opens)
    is_to_open = thinking == "force" and trial.model.kind == "thinking" and not is_open
    prefill = trial.condition.prefill.strip()
    if prefill and (is_open or is_to_open):
        raise ModelError(
            f"{trial.model.name}: its prompt opens the reasoning, and condition "
            f'{trial.condition.name} prefills the answer; set thinking to "off", or leave '
            "this condition out"
        )
    return (f"{rendered}{THINK.opens}\n" if is_to_open else rendered) + prefill


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
