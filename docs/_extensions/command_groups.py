"""Sphinx extension: option groups and literal help texts in the command reference.

sphinx-click lists a command's options without cloup's groups and parses their help texts as
reStructuredText. This extension puts each group's title above its options and escapes the texts.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import click
from sphinx.application import Sphinx

OPTION = ".. option:: "


def group_options(_app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Replace the lines of a command's options by the same lines under their groups' titles."""
    titles = dict(_titles(context.command))
    blocks = _blocks(lines)
    lines.clear()
    for title, members in groupby(blocks, key=lambda block: titles.get(_option_name(block), "")):
        if title:
            lines += [f".. rubric:: {escape(title)}", ""]
        for block in members:
            lines += [_name_value(block[0]), *map(_escape_help, block[1:])]


def escape_lines(_app: Sphinx, _context: click.Context, lines: list[str]) -> None:
    """Escape a description: help texts are plain text."""
    lines[:] = [escape(line) for line in lines]


def escape(text: str) -> str:
    """Return the text with the characters escaped that reStructuredText would interpret."""
    return re.sub(r"([\\*`|_@])", r"\\\1", text)


def _name_value(line: str) -> str:
    """Name an option's value after the option and not after the program's variable."""
    return re.sub(r"--([\w-]+) <[a-z_]+>", r"--\1 <\1>", line)


def _escape_help(line: str) -> str:
    is_field = line.lstrip().startswith((":options:", ":default:"))
    return line if is_field else escape(line)


def _blocks(lines: list[str]) -> list[list[str]]:
    """Return the lines cut before every option."""
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith(OPTION):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _option_name(block: list[str]) -> str:
    """Return the first name of the option that a block describes, such as `--model`."""
    return re.split(r"[ ,]", block[0].removeprefix(OPTION))[0]


def _titles(command: click.Command) -> Iterator[tuple[str, str]]:
    """Yield an option's first name and the title of its group."""
    for group in getattr(command, "option_groups", ()):
        for option in group.options:
            yield option.opts[0], group.title


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the handlers."""
    app.connect("sphinx-click-process-options", group_options)
    app.connect("sphinx-click-process-description", escape_lines)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
