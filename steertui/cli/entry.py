"""The command line as a program: errors become one line with an exit code."""

import logging
import sys
from io import StringIO

import click

from steertui.cli import cli
from steertui.errors import ClosedPipeError, OutputError, SteertuiError
from steertui.printable import print_line, print_text
from steertui.standard_streams import discard_output, flush_output, prepare_streams


def main() -> None:
    """Run the command line.

    Exit codes: 1 for an error that the user can fix, 2 for wrong usage or missing consent, 3 for a
    spent budget, 130 for Ctrl-C, 141 without a message if the reader of the output has ended.
    """
    prepare_streams()
    _print_log()
    try:
        try:
            code = _run()
        finally:
            flush_output()
    except SteertuiError as exc:
        if isinstance(exc, OutputError):
            discard_output()
        if not isinstance(exc, ClosedPipeError):
            print_line(f"steertui: {exc}", to_stderr=True)
        code = exc.exit_code
    sys.exit(code)


class _Printed(logging.Handler):
    """Handler that prints messages on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message as one line."""
        print_line(record.getMessage(), to_stderr=True)


def _print_log() -> None:
    """Print what the program logs, such as work that takes seconds before the first output."""
    log = logging.getLogger("steertui")
    log.setLevel(logging.INFO)
    log.addHandler(_Printed())


def _run() -> int:
    """Run the command and return its exit code; messages of click are made printable."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as exc:
        message = StringIO()
        exc.show(message)
        print_text(message.getvalue().removesuffix("\n"), to_stderr=True)
        return exc.exit_code
    except click.Abort:
        print_line("Aborted!", to_stderr=True)
        return 1
    return code if isinstance(code, int) else 0
