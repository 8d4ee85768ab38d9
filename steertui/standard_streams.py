"""Standard output and standard error: all characters, and OutputError for failed writes."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from steertui.errors import ClosedPipeError, OutputError


class _Output(io.FileIO):
    """Standard output whose failed writes raise OutputError.

    click and rich catch a broken pipe and end the program without a message; neither catches
    OutputError.
    """

    def write(self, data: Any) -> int:
        """Write bytes."""
        try:
            return super().write(data)
        except OSError as exc:
            kind = ClosedPipeError if isinstance(exc, BrokenPipeError) else OutputError
            raise kind(
                f"standard output: cannot be written ({exc.strerror}); stored results are kept; "
                "run the command again with another output"
            ) from exc


def prepare_streams() -> None:
    """Replace characters missing in the encoding by "?"; raise OutputError for failed writes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    stdout = sys.stdout
    # Writes to a terminal do not fail with a full disk or a closed pipe.
    if isinstance(stdout, io.TextIOWrapper) and not stdout.isatty():
        raw = _Output(stdout.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            raw if stdout.write_through else io.BufferedWriter(raw),
            encoding=stdout.encoding,
            errors="replace",
            write_through=stdout.write_through,
        )


@contextmanager
def closed_pipe_named() -> Iterator[None]:
    """Turn a closed pipe, after which commands end silently, into an error with a sentence.

    For work that it stops before its end.
    """
    try:
        yield
    except ClosedPipeError as exc:
        raise OutputError(str(exc)) from exc


def flush_output() -> None:
    """Write the buffer of standard output; raises OutputError if that fails."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Redirect standard output to the null device, so that the last flush succeeds."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def use_utf8() -> None:
    """Set standard output to UTF-8 if it is a pipe or a file, as for output files."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8", newline="")
