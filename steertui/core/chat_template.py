"""Chat templates: third-party Jinja programs, rendered only inside a sandbox (`sandbox.child`)."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import SecurityError

from steertui.core.reasoning import close_reasoning
from steertui.core.template_environment import TemplateClock, template_environment
from steertui.core.template_traits import DEFAULT_FORM, Content, MessageForm
from steertui.errors import ModelError, shorten
from steertui.sandbox.child import Answer, serve

ADDED = 65_536
TIMES = 4
"""Maximum characters of a prompt: `ADDED` plus `TIMES` the characters of its messages."""

SYSTEM_NEEDLE = "steertui-system-text"
USER_NEEDLE = "steertui-user-text"
"""Texts with which a template is probed."""

_TEXT_FIRST = (Content.TEXT, Content.PARTS)


class TemplateFailedError(ModelError):
    """A template raised an error on these messages; it may accept others."""


class ChatTemplate:
    """A chat template, compiled and rendered in Jinja's sandbox as in transformers.

    `tokens` are the special tokens that the tokenizer has, such as "bos_token", by the names of
    transformers; a missing one is undefined in the template. Raises ModelError if the template has
    a syntax error, fails, or accesses a forbidden attribute.
    """

    def __init__(self, template: str, tokens: Mapping[str, str]) -> None:
        self._source = template
        self._tokens = tokens
        self._clock = TemplateClock()
        try:
            self._compiled = template_environment(self._clock).from_string(template)
        except TemplateSyntaxError as exc:
            raise ModelError(
                f"its chat template is broken at line {exc.lineno} ({_words(exc)}); "
                "choose another model"
            ) from None
        except MemoryError:
            raise
        except Exception as exc:
            raise ModelError(f"its chat template fails ({_words(exc)})" + _OTHER) from None

    def render(
        self,
        system: str,
        user: str,
        thinking: bool | None = None,
        form: MessageForm = DEFAULT_FORM,
    ) -> str:
        """Return the prompt of one turn, with a generation prompt; no system message if "".

        `thinking` is the variable `enable_thinking`, which switches the reasoning of hybrid models;
        None leaves it undefined. False also closes reasoning that the template opens, so that the
        answer follows directly.
        """
        messages = form.messages(system, user)
        text = self._write(messages, ADDED + TIMES * (len(system) + len(user)), thinking)
        return close_reasoning(text, self._source) if thinking is False else text

    def _write(
        self, messages: Sequence[Mapping[str, Any]], limit: int, thinking: bool | None
    ) -> str:
        extra = {} if thinking is None else {"enable_thinking": thinking}
        try:
            text = self._compiled.render(
                messages=messages,
                tools=None,
                documents=None,
                add_generation_prompt=True,
                **self._tokens,
                **extra,
            )
            _check(text, limit)
        except SecurityError as exc:
            raise ModelError(
                f"its chat template accesses a forbidden attribute ({_words(exc)}); "
                "do not use this model"
            ) from None
        except (ModelError, MemoryError):
            raise
        except Exception as exc:  # a third-party program may raise any exception
            raise TemplateFailedError(f"its chat template fails ({_words(exc)}){_OTHER}") from None
        return text

    def probe(self) -> dict[str, Any]:
        """Return the form of messages that the template takes, found by rendering known texts.

        As in llama.cpp, content is passed as text unless only parts appear in the prompt. Keys:
        "form" (`MessageForm.as_json`), and "is_dated": whether the template asks for the date.
        """
        user = self._find_user_form()
        systems = (s for s in _TEXT_FIRST if self._keeps(MessageForm(user, s), SYSTEM_NEEDLE))
        form = MessageForm(user, next(systems, None))
        return {"form": form.as_json, "is_dated": self._clock.was_read}

    def _find_user_form(self) -> Content:
        for user in _TEXT_FIRST:
            if self._keeps(MessageForm(user), ""):
                return user
        for user, system in product(_TEXT_FIRST, _TEXT_FIRST):
            if self._keeps(MessageForm(user, system), SYSTEM_NEEDLE):
                return user
        self.render("", USER_NEEDLE)  # raises the template's own error
        raise ModelError("its chat template leaves out the user message" + _OTHER)

    def _keeps(self, form: MessageForm, system: str) -> bool:
        """Whether the texts of both messages appear in the prompt."""
        try:
            text = self.render(system, USER_NEEDLE, form=form)
        except TemplateFailedError:
            return False
        return system in text and USER_NEEDLE in text and "{'type':" not in text


_OTHER = "; choose another model or another chat template"


def _check(text: str, most: int) -> None:
    if len(text) > most:
        raise ModelError(
            f"its chat template writes a prompt of {len(text):,} characters, more than the limit "
            f"of {most:,}; do not use this model"
        )
    text.encode()  # raises UnicodeEncodeError for an unpaired surrogate


def _words(exc: Exception) -> str:
    return shorten(str(exc)[:1000])


@lru_cache(maxsize=4)
def _compiled(template: str, tokens: tuple[tuple[str, str], ...]) -> ChatTemplate:
    return ChatTemplate(template, dict(tokens))


def _template(template: str, tokens: Mapping[str, str]) -> ChatTemplate:
    return _compiled(template, tuple(tokens.items()))


def probe(template: str, tokens: Mapping[str, str]) -> dict[str, Any]:
    """Return the traits of a template (`ChatTemplate.probe`)."""
    return _template(template, tokens).probe()


def render(
    template: str,
    tokens: Mapping[str, str],
    form: Sequence[str | None],
    thinking: bool | None,
    *message: str,
) -> str:
    """Return one prompt; called for each (system, user) pair of a request."""
    system, user = message
    chat = _template(template, tokens)
    return chat.render(system, user, thinking, MessageForm.from_json(form))


RENDERING: Mapping[str, Answer] = {"probe": probe, "render": render}
"""Functions that a child process which renders templates answers with."""


def main(descriptor: int) -> None:
    """Run the child process that renders prompts with the templates that servers report."""
    serve(descriptor, RENDERING)
