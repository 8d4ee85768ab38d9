"""Prompt of a trial: rendered by a chat template, or chat messages for a server."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NoReturn

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from steertui.core.reasoning import THINK, without_thought
from steertui.core.trial import Trial
from steertui.errors import ModelError

_MARKS = re.compile(r"<\|[^|<>]{1,64}\|>|</?think>")
_BRACKETED = re.compile(r"<[^][<>]{1,68}>|\[[^][<>]{1,68}\]")

Thinking = Literal["template", "open", "off"]
"""Whether the prompt opens the thought: as the GGUF's chat template has it (publishers of the same
weights differ), for every thinking model, or never: a hybrid is asked not to think."""

TEMPLATE_DATE = datetime(2026, 1, 1)
"""What templates that print the date are told: a prompt must be the same tomorrow."""


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
    def seed(self) -> int:
        """The trial's own seed, 63 bits: the same in any slot, order and batch."""
        return int(self.key[:16], 16) >> 1


class ChatFormat:
    """A GGUF's chat template, rendered in Jinja's sandbox as transformers does it.

    `control` are the vocabulary's control tokens, where they are known: see
    `neutralise_control_tokens`. Raises ModelError where the template
    is missing, broken, or reaches for what it may not have.
    """

    def __init__(
        self, template: str, bos: str, eos: str, model: str, control: frozenset[str] = frozenset()
    ) -> None:
        if not template:
            raise ModelError(f"{model}: has no chat template; choose a GGUF that carries one")
        self.template = template
        self.control = control
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._model = model
        env = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        env.filters["tojson"] = _tojson
        env.globals["raise_exception"] = _raise
        env.globals["strftime_now"] = TEMPLATE_DATE.strftime
        try:
            self._compiled = env.from_string(template)
        except TemplateSyntaxError as exc:
            raise ModelError(
                f"{model}: its chat template is broken at line {exc.lineno} ({exc.message}); "
                "choose another GGUF"
            ) from None

    @property
    def sha256(self) -> str:
        """Of the template's text: publishers of the same weights ship different ones."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    def render(self, system: str, user: str, *, thinking: bool = True) -> str:
        """Return the prompt of one turn, with a generation prompt; no system message if "".

        `thinking=False` asks hybrid models not to, and closes what a thinking model's template
        opens, so that the answer proper comes at once.
        """
        messages = [{"role": "user", "content": user}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        try:
            extra = {} if thinking else {"enable_thinking": False}
            text = self._compiled.render(
                messages=messages, add_generation_prompt=True, **self._tokens, **extra
            )
        except SecurityError as exc:
            raise ModelError(
                f"{self._model}: its chat template reaches for what a template may not ({exc}); "
                "do not use this file"
            ) from None
        except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as exc:
            raise ModelError(
                f"{self._model}: its chat template fails ({exc}); choose another GGUF"
            ) from None

        return text if thinking else without_thought(text)

    def write(self, trial: Trial, thinking: Thinking = "template") -> Prompt:
        """Return the trial's prompt and key."""
        text = self.render(trial.scenario.system.strip(), trial.user, thinking=thinking != "off")
        is_open = text.rstrip().endswith(THINK.opens)
        if thinking == "open" and trial.model.kind == "thinking" and not is_open:
            text += f"{THINK.opens}\n"
        return Prompt(trial, RenderedPrompt(text), trial.key(text))


def neutralise_control_tokens(text: str, control: frozenset[str] = frozenset()) -> str:
    """Return the text with every `<|name|>` and think mark broken by a zero-width space.

    `control` names the vocabulary's own control tokens, of whatever form ("[/INST]",
    "<end_of_turn>"), which are broken, too. Inside a judge's prompt a model's answer is data: it
    must not end its own quotation.
    """

    def broken(found: re.Match[str]) -> str:
        mark = found.group()
        is_mark = mark in control or _MARKS.fullmatch(mark)
        return f"{mark[0]}\u200b{mark[1:]}" if is_mark else mark

    return _BRACKETED.sub(broken, text)


def _tojson(value: object, indent: int | None = None) -> str:
    # transformers' own filter: unlike Jinja's it does not escape HTML, and keeps Unicode.
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
