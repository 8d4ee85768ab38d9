"""`steertui doctor`: what this machine can do."""

import click


@click.command()
def doctor() -> None:
    """Say what this machine can do, and what to mend."""
    from steertui.headless.doctor import examine

    for finding in examine():
        click.echo(f"{finding.sign} {finding.text}")
