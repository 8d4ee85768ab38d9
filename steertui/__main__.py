"""The program: the command line, its errors turned into one sentence and an exit code."""

import sys

from steertui.cli import cli
from steertui.errors import SteertuiError


def main() -> None:
    """Run the command line; 1 for what the user can mend, 2 for wrong usage or where the user has
    not agreed, 130 for Ctrl-C."""
    try:
        cli()
    except SteertuiError as exc:
        print(f"steertui: {exc}", file=sys.stderr)
        sys.exit(exc.exit_code)


if __name__ == "__main__":
    main()
