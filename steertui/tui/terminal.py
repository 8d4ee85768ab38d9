"""Check of the terminal before the screens open."""

import os
import sys
from typing import TextIO

from steertui.errors import TerminalError

UNABLE = ("dumb", "unknown")
"""Values of TERM for terminals without control sequences."""

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""Value of TEXTUAL_DRIVER in a process whose screens a page shows."""


def require_terminal() -> None:
    """Raise TerminalError unless the screens can be shown and keys can be read.

    Textual draws on standard error and reads keys from standard input. A redirected standard
    output means that the results are wanted, which only a run without screens prints. Under
    `steertui serve` the screens are drawn by a page.
    """
    if os.environ.get("TEXTUAL_DRIVER") == WEB_DRIVER:
        return
    streams = {
        "standard input": sys.__stdin__,
        "standard output": sys.__stdout__,
        "standard error": sys.__stderr__,
    }
    others = [name for name, stream in streams.items() if not _is_terminal(stream)]
    term = os.environ.get("TERM", "")
    if others:
        problem = f"{others[0]} is no terminal"
    elif term in UNABLE:
        problem = f"TERM is {term!r}, a terminal without control sequences"
    else:
        return
    raise TerminalError(
        f"the screens need a terminal, and {problem}; add --batch to run without screens, or use a "
        "subcommand such as `steertui report DB`"
    )


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
