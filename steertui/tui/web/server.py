"""Server of the screens: a page with a terminal, and one process of steertui per page.

textual-serve runs the processes and has the terminal of the page. Its own server is not used: it
has no access control, and its page loads fonts from a third party.
"""

import asyncio
import json
import shlex
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from string import Template
from typing import Any

import textual_serve
from aiohttp import WSMessage, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from steertui.printable import print_line
from steertui.tui.web.access import Access
from steertui.untrusted import InvalidJsonError, parse_json

MAX_SESSIONS = 8
"""Pages that are served at once, each by a process."""

MAX_MESSAGE = 1 << 20
"""Bytes of a message from a page."""

MAX_SIDE = 1000
"""Columns and rows of the largest terminal."""

HERE = Path(__file__).parent
STATIC = Path(textual_serve.__file__).parent / "static"

UNENCRYPTED = (
    "! The connection is not encrypted: whoever can read the network sees screens and token. An "
    "SSH tunnel is safer: ssh -L 8000:127.0.0.1:8000 HOST"
)


class ScreensServer:
    """Serves the program with these arguments to browsers that know the token."""

    def __init__(self, arguments: Sequence[str], host: str, port: int) -> None:
        self._command = shlex.join([sys.executable, "-m", "steertui", *arguments])
        self._host = host
        self._port = port
        self._access = Access(port)
        self._sessions: set[web.WebSocketResponse] = set()

    def serve(self) -> None:
        """Serve until Ctrl-C or SIGTERM; then all pages are closed, and runs in them stopped.

        Raises OSError if the address is in use or not of this machine.
        """
        web.run_app(self._app(), host=self._host, port=self._port, print=self._announce)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._access.check])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self._session),
                web.static("/page", HERE / "page"),
                web.static("/static", STATIC),
            ]
        )
        app.on_shutdown.append(self._close_sessions)
        return app

    def _announce(self, _: str) -> None:
        """Print the address, once the server listens; aiohttp's own line has no token."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        print_line(f"Open in a browser: http://{host}:{self._port}/?token={self._access.token}")
        if not ip_address(self._host).is_loopback:
            print_line(UNENCRYPTED)
        print_line("Ctrl-C ends the server and the runs in its pages.")

    async def _page(self, request: web.Request) -> web.Response:
        scheme = "wss" if request.headers.get("X-Forwarded-Proto") == "https" else "ws"
        page = Template((HERE / "index.html").read_text(encoding="utf-8"))
        text = page.substitute(websocket=f"{scheme}://{request.host}/ws")
        return web.Response(text=text, content_type="text/html")

    async def _session(self, request: web.Request) -> web.StreamResponse:
        """Run a process for a page until the page or the process ends."""
        if len(self._sessions) >= MAX_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_SESSIONS} pages are open; close one\n")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=MAX_MESSAGE)
        await socket.prepare(request)

        async def close() -> None:
            await socket.close()

        service = AppService(
            self._command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        self._sessions.add(socket)
        try:
            await service.start(_side(request, "width", 80), _side(request, "height", 24))
            async for message in socket:
                await _take(message, service)
        finally:
            self._sessions.discard(socket)
            await service.stop()
        return socket

    async def _close_sessions(self, _: web.Application) -> None:
        await asyncio.gather(*(socket.close() for socket in [*self._sessions]))


def _side(request: web.Request, name: str, default: int) -> int:
    """Return the width or height of a page's terminal."""
    text = request.query.get(name, "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    return min(MAX_SIDE, int(text)) if is_number else default


async def _take(message: WSMessage, service: AppService) -> None:
    """Pass a page's message on to its process; others than those of textual.js are ignored."""
    if message.type is not WSMsgType.TEXT:
        return
    try:
        content: Any = parse_json(message.data)
    except InvalidJsonError:
        return
    match content:
        case ["stdin", str(keys)]:
            await service.send_bytes(keys.encode())
        case ["resize", {"width": int(width), "height": int(height)}]:
            await service.set_terminal_size(min(MAX_SIDE, width), min(MAX_SIDE, height))
        case ["blur", *_]:
            await service.blur()
        case ["focus", *_]:
            await service.focus()
        case ["ping", str(data)]:
            await service.remote_write_str(json.dumps(["pong", data]))
