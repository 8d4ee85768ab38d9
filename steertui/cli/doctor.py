"""`steertui doctor`: check of this machine."""

import click

from steertui.printable import print_text


@click.command(short_help="Check of this machine.")
def doctor() -> None:
    """Check this machine and print what works, what does not, and how to correct it."""
    from steertui.headless.doctor import examine

    for finding in examine():
        print_text(f"{finding.sign} {finding.text}")
