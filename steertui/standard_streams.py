"""Standard output and standard error: any text can be written, and a failed write is one error."""

import io
import os
import sys
from contextlib import suppress
from typing import Any

from steertui.errors import OutputError


class _Output(io.FileIO):
    """Standard output whose failed writes raise OutputError.

    click and rich catch a broken pipe themselves and end the program without a sentence; neither
    catches OutputError.
    """

    def write(self, data: Any) -> int:
        """Write bytes."""
        try:
            return super().write(data)
        except OSError as exc:
            raise OutputError(
                f"standard output: cannot be written ({exc.strerror}); what is stored stays, run "
                "the same again with another output"
            ) from exc


def prepare_streams() -> None:
    """Write "?" for characters that an encoding lacks; name the failure of a write."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    stdout = sys.stdout
    # A terminal has neither a full disk nor a reader that has gone.
    if isinstance(stdout, io.TextIOWrapper) and not stdout.isatty():
        raw = _Output(stdout.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            raw if stdout.write_through else io.BufferedWriter(raw),
            encoding=stdout.encoding,
            errors="replace",
            write_through=stdout.write_through,
        )


def flush_output() -> None:
    """Write what standard output still holds; raises OutputError where that fails."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Let the interpreter's own flush at the end succeed, after a write has failed."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def use_utf8() -> None:
    """Write UTF-8 to standard output that is a pipe or a file: data, as in a file named."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8", newline="")
