"""Entry point: runs the command line, reports errors as one line with an exit code."""

import sys

from steertui.cli import cli
from steertui.errors import OutputError, SteertuiError
from steertui.standard_streams import discard_output, flush_output, prepare_streams


def main() -> None:
    """Run the command line.

    Exit codes: 1 for an error that the user can fix, 2 for wrong usage or missing consent, 130 for
    Ctrl-C.
    """
    prepare_streams()
    try:
        try:
            cli()
        finally:
            flush_output()
    except SteertuiError as exc:
        if isinstance(exc, OutputError):
            discard_output()
        print(f"steertui: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)


if __name__ == "__main__":
    main()
