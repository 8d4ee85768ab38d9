"""`steertui serve`: the screens in a browser."""

from ipaddress import ip_address
from pathlib import Path

import click

from steertui.cli.param_types import PATH

LOCALHOST = "127.0.0.1"


def _address(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Return an IP address; localhost is 127.0.0.1."""
    address = LOCALHOST if text == "localhost" else text
    try:
        ip_address(address)
    except ValueError:
        raise click.BadParameter(f"{text} is not an IP address; give one of this machine") from None
    return address


@click.command(short_help="The screens in a browser.")
@click.option(
    "--host",
    default=LOCALHOST,
    show_default=True,
    callback=_address,
    help="IP address to listen on; another one than the default can be reached by other machines",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--db", type=PATH, help="SQLite file of every page [default: steertui.db]")
def serve(host: str, port: int, db: Path | None) -> None:
    """Show the screens in a browser, one process per page.

    The printed URL has a random token, without which every request is refused. Closing a page ends
    its process, like closing a terminal; finished trials are stored.
    """
    from steertui.errors import TerminalError
    from steertui.paths import exists
    from steertui.store import Store

    try:
        from steertui.tui.web.server import ScreensServer
    except ModuleNotFoundError as exc:
        raise TerminalError(
            f"serve needs the package {exc.name}; install it with: pip install 'steertui[serve]'"
        ) from None
    if db and exists(db):
        with Store(db):  # a file that no page could open is refused now
            pass
    try:
        ScreensServer(["--db", str(db)] if db else [], host, port).serve()
    except OSError as exc:
        raise TerminalError(
            f"{host}:{port}: cannot be used ({exc.strerror}); choose another --port or --host"
        ) from exc
