"""Chat templates: third-party Jinja programs, rendered only inside a sandbox (`sandbox.child`)."""

import json
from datetime import datetime
from functools import lru_cache
from typing import NoReturn

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from steertui.core.reasoning import close_reasoning
from steertui.errors import ModelError, shorten
from steertui.sandbox.child import serve

TEMPLATE_DATE = datetime(2026, 1, 1)
"""Date for templates that print one; it is fixed so that prompts are the same on every day."""

ADDED = 65_536
TIMES = 4
"""Maximum characters of a prompt: `ADDED` plus `TIMES` the characters of its messages."""


class ChatTemplate:
    """A chat template, compiled and rendered in Jinja's sandbox as in transformers.

    Raises ModelError if the template has a syntax error, fails, or accesses a forbidden attribute.
    """

    def __init__(self, template: str, bos: str, eos: str) -> None:
        self._tokens = {"bos_token": bos, "eos_token": eos}
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
                f"its chat template is broken at line {exc.lineno} ({_words(exc)}); "
                "choose another model"
            ) from None
        except MemoryError:
            raise
        except Exception as exc:
            raise ModelError(f"its chat template fails ({_words(exc)})" + _OTHER) from None

    def render(self, system: str, user: str, thinking: bool) -> str:
        """Return the prompt of one turn, with a generation prompt; no system message if "".

        `thinking=False` turns the reasoning of hybrid models off (`enable_thinking`), and closes
        reasoning that the template opens, so that the answer follows directly.
        """
        messages = [{"role": "user", "content": user}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        extra = {} if thinking else {"enable_thinking": False}
        try:
            text = self._compiled.render(
                messages=messages, add_generation_prompt=True, **self._tokens, **extra
            )
            _check(text, ADDED + TIMES * (len(system) + len(user)))
        except SecurityError as exc:
            raise ModelError(
                f"its chat template accesses a forbidden attribute ({_words(exc)}); "
                "do not use this model"
            ) from None
        except (ModelError, MemoryError):
            raise
        except Exception as exc:  # a third-party program may raise any exception
            raise ModelError(f"its chat template fails ({_words(exc)})" + _OTHER) from None
        return text if thinking else close_reasoning(text)


_OTHER = "; choose another model"


def _check(text: str, most: int) -> None:
    if len(text) > most:
        raise ModelError(
            f"its chat template writes a prompt of {len(text):,} characters, more than the limit "
            f"of {most:,}; do not use this model"
        )
    text.encode()  # raises UnicodeEncodeError for an unpaired surrogate


def _words(exc: Exception) -> str:
    return shorten(str(exc)[:1000])


def _tojson(value: object, indent: int | None = None) -> str:
    # The filter of transformers: unlike Jinja's it escapes neither HTML nor Unicode.
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


_compiled = lru_cache(maxsize=4)(ChatTemplate)


def render(template: str, bos: str, eos: str, system: str, user: str, thinking: bool) -> str:
    """Return one prompt rendered by the template; called for each item of a request."""
    return _compiled(template, bos, eos).render(system, user, thinking)


def main(descriptor: int) -> None:
    """Run the child process that renders prompts with the templates that servers report."""
    serve(descriptor, {"render": render})
