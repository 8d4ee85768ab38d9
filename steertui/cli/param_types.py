"""Parameter types of the command line, which shells complete."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

PATH = click.Path(path_type=Path, readable=False)
"""A path. The command itself reports a missing or unreadable file in one sentence."""

PATH_TEXT = click.Path(readable=False)
"""A path as it was written."""


def complete_presets(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the presets that start with what was typed."""
    from steertui.planning.presets import PRESETS

    return [CompletionItem(name) for name in PRESETS if name.startswith(incomplete)]
