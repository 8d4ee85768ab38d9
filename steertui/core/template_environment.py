"""Jinja environment of chat templates, as in transformers' `apply_chat_template`."""

import json
from typing import NoReturn

from jinja2 import TemplateError
from jinja2.ext import Extension
from jinja2.nodes import CallBlock
from jinja2.parser import Parser
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from steertui.core.template_traits import TEMPLATE_DATE


class GenerationTag(Extension):
    """The block `{% generation %}`, which marks the assistant's text and prints it unchanged."""

    tags = {"generation"}  # noqa: RUF012, the base class declares it so

    def parse(self, parser: Parser) -> CallBlock:
        """Return the block's body as a call, which is its own scope, as in transformers."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        block = CallBlock(self.call_method("_body"), [], [], body)
        block.set_lineno(line)
        return block

    def _body(self, caller: Macro) -> str:
        return caller()


class TemplateClock:
    """The date that templates see.

    Attributes:
        was_read: whether a template has asked for the date.
    """

    def __init__(self) -> None:
        self.was_read = False

    def strftime_now(self, format: str) -> str:
        """Return `TEMPLATE_DATE` in a format of `strftime`."""
        self.was_read = True
        return TEMPLATE_DATE.strftime(format)


def template_environment(clock: TemplateClock) -> ImmutableSandboxedEnvironment:
    """Return an environment with the extensions, filters and functions of transformers."""
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[GenerationTag, "jinja2.ext.loopcontrols"],
    )
    env.filters["tojson"] = _tojson
    env.globals["raise_exception"] = _raise
    env.globals["strftime_now"] = clock.strftime_now
    return env


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Unlike Jinja's own filter it does not escape HTML.
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
