"""`steertui serve`: a real server on loopback; its token, its page, its processes."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from tests.fixtures.browser import running_browser
from tests.fixtures.program import call

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")

DEADLINE = 60.0
"""Seconds after which a wait fails."""

Story = Callable[[Any, str], Awaitable[None]]
"""Requests of a client session to a server with this address."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Serve the screens; yield the process, the address and the token."""
    command = [sys.executable, "-m", "steertui", "serve", "--port", str(free_port())]
    with subprocess.Popen(
        [*command, "--db", "a.db"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        assert process.stdout
        url = urlsplit(process.stdout.readline().split()[-1])
        try:
            yield process, f"http://{url.netloc}", parse_qs(url.query)["token"][0]
        finally:
            process.terminate()
            process.wait(DEADLINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def converse(story: Story, address: str) -> None:
    """Run the story with a client that keeps cookies."""

    async def run() -> None:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of IP addresses, too
        async with asyncio.timeout(DEADLINE), aiohttp.ClientSession(cookie_jar=jar) as client:
            await story(client, address)

    asyncio.run(run())


async def read_until(page: Any, text: bytes) -> None:
    """Read what the screens draw until a text was drawn."""
    drawn = b""
    while text not in drawn:
        message = await page.receive()
        assert message.type is aiohttp.WSMsgType.BINARY, message
        drawn += message.data


@pytest.mark.parametrize(
    "path", ["/", "/?token=wrong", "/ws", "/page/style.css", "/static/js/textual.js"]
)
def test_nothing_is_served_without_the_token(
    served: tuple[subprocess.Popen[str], str, str], path: str
) -> None:
    async def story(client: Any, address: str) -> None:
        async with client.get(address + path) as response:
            assert response.status == 403
            assert "token" in await response.text()
            assert not response.cookies

    converse(story, served[1])


def test_a_page_shows_the_screens_and_sends_keys(
    served: tuple[subprocess.Popen[str], str, str],
) -> None:
    process, address, token = served

    async def story(client: Any, address: str) -> None:
        async with client.get(f"{address}/?token={token}") as response:
            page = await response.text()
            assert str(response.url) == f"{address}/"
            assert "https:" not in page
            assert "'self'" in response.headers["Content-Security-Policy"]
        async with client.get(f"{address}/static/js/textual.js") as response:
            assert response.status == 200
        async with client.ws_connect(f"{address}/ws?width=120&height=40") as page:
            await read_until(page, b"steertui")
            assert psutil.Process(process.pid).children(recursive=True)
            await page.send_json(["stdin", "1"])
            await read_until(page, b"estimate")
            await page.send_json(["stdin", "q"])
            while (await page.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        while psutil.Process(process.pid).children(recursive=True):
            await asyncio.sleep(0.05)

    converse(story, address)


@pytest.mark.slow
def test_the_page_takes_keys_without_a_click(
    served: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, address, token = served
    with running_browser() as browser:
        page = browser.new_page()
        problems: list[str] = []
        drawn: list[bytes] = []

        def note_problem(message: Any) -> None:
            if message.type == "error":
                problems.append(message.text)

        def note_frame(frame: str | bytes) -> None:
            if isinstance(frame, bytes):
                drawn.append(frame)

        page.on("console", note_problem)
        page.on("websocket", lambda socket: socket.on("framereceived", note_frame))
        page.goto(f"{address}/?token={token}")
        page.wait_for_selector("body.-first-byte")
        page.keyboard.press("1")
        deadline = time.monotonic() + DEADLINE
        while b"estimate" not in b"".join(drawn) and time.monotonic() < deadline:
            page.wait_for_timeout(100)
        assert b"estimate" in b"".join(drawn)
        assert not problems


def test_a_page_of_another_site_is_refused_in_spite_of_the_cookie(
    served: tuple[subprocess.Popen[str], str, str],
) -> None:
    _, address, token = served

    async def story(client: Any, address: str) -> None:
        async with client.get(f"{address}/?token={token}") as response:
            assert "SameSite=Strict" in response.history[0].headers["Set-Cookie"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"{address}/ws", origin="http://other.example")
        assert refused.value.status == 403

    converse(story, address)


def test_the_end_of_the_server_ends_its_processes(
    served: tuple[subprocess.Popen[str], str, str],
) -> None:
    process, address, token = served
    children: list[psutil.Process] = []

    async def story(client: Any, address: str) -> None:
        async with client.get(f"{address}/?token={token}"):
            pass
        async with client.ws_connect(f"{address}/ws?width=120&height=40") as page:
            await read_until(page, b"steertui")
            children.extend(psutil.Process(process.pid).children(recursive=True))
            process.send_signal(signal.SIGTERM)
            while (await page.receive()).type is aiohttp.WSMsgType.BINARY:
                pass

    converse(story, address)
    process.wait(DEADLINE)
    assert children
    _, alive = psutil.wait_procs(children, DEADLINE)
    assert not alive


def test_a_used_port_is_one_sentence(served: tuple[subprocess.Popen[str], str, str]) -> None:
    port = str(urlsplit(served[1]).port)
    command = [sys.executable, "-m", "steertui", "serve", "--port", port]
    result = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"steertui: 127.0.0.1:{port}: cannot be used")
    assert result.stderr.count("\n") == 1


def test_a_file_that_no_page_could_open_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_text("no database")
    code, _, err = call("serve", "--db", "junk.db", cwd=tmp_path, seconds=DEADLINE)
    assert code == 1
    assert err.startswith("steertui: junk.db: ")
    assert err.count("\n") == 1
