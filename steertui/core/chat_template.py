"""A chat template: a third party's Jinja program. Used only inside a sandbox (`sandbox.child`)."""

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
"""What templates that print the date are told: a prompt must be the same tomorrow."""

ADDED = 65_536
TIMES = 4
"""A prompt may have 65,536 characters and four times those of its messages."""


class ChatTemplate:
    """A chat template, compiled and rendered in Jinja's sandbox as transformers does it.

    Raises ModelError where the template is broken, or reaches for what it may not have.
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

        `thinking=False` asks hybrid models not to, and closes what a thinking model's template
        opens, so that the answer proper comes at once.
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
                f"its chat template reaches for what a template may not ({_words(exc)}); "
                "do not use this model"
            ) from None
        except (ModelError, MemoryError):
            raise
        except Exception as exc:  # a program of a third party raises what it likes
            raise ModelError(f"its chat template fails ({_words(exc)})" + _OTHER) from None
        return text if thinking else close_reasoning(text)


_OTHER = "; choose another model"


def _check(text: str, most: int) -> None:
    if len(text) > most:
        raise ModelError(
            f"its chat template writes a prompt of {len(text):,} characters where {most:,} are "
            "plenty; do not use this model"
        )
    text.encode()  # UnicodeEncodeError where it holds half of a surrogate pair


def _words(exc: Exception) -> str:
    return shorten(str(exc)[:1000])


def _tojson(value: object, indent: int | None = None) -> str:
    # transformers' own filter: unlike Jinja's it does not escape HTML, and keeps Unicode.
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


_compiled = lru_cache(maxsize=4)(ChatTemplate)


def render(template: str, bos: str, eos: str, system: str, user: str, thinking: bool) -> str:
    """Answer a question of the parent: one prompt by the template."""
    return _compiled(template, bos, eos).render(system, user, thinking)


def main(descriptor: int) -> None:
    """Be the child that renders prompts by templates that servers send."""
    serve(descriptor, {"render": render})
