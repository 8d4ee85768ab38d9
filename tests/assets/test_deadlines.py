"""Hubs that never end a response: every listing and download ends at its deadline."""

import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import constants

from steertui.assets.fetch import deadline
from steertui.assets.fetch.download import Download
from steertui.assets.fetch.transfer import TransferLimits, open_client, transfer
from steertui.assets.hub.site import list_weights
from steertui.core.hub_name import HubName
from steertui.errors import FetchError
from tests.fixtures.hub_server import HubServer
from tests.fixtures.trickling import trickling

LIMITS = TransferLimits(tries=1, pause=0.01, silence=2.0, headers=0.5, listing=0.5)

ENDLESS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "interim responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
}

SLOW_BODIES = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


def refusal_of_listing(limits: TransferLimits = LIMITS) -> str:
    began = time.monotonic()
    with pytest.raises(FetchError) as raised:
        list(list_weights(HubName("maker/repo"), limits))
    assert time.monotonic() - began < 10
    return str(raised.value)


@pytest.mark.parametrize(("start", "again"), [*ENDLESS.values(), *SLOW_BODIES.values()])
def test_a_listing_without_an_end_is_refused_at_its_deadline(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, start: bytes, again: bytes
) -> None:
    with trickling(start, again) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        assert "its reply was not complete in 0.5 seconds" in refusal_of_listing()
        assert server.connections == 1


@pytest.mark.parametrize(("start", "again"), ENDLESS.values())
def test_a_download_whose_headers_do_not_end_is_retried_and_refused(
    tmp_path: Path, start: bytes, again: bytes
) -> None:
    with trickling(start, again) as server, open_client() as client:
        with pytest.raises(FetchError) as raised:
            list(transfer(_download(tmp_path, server.address), client, replace(LIMITS, tries=2)))
        assert "did not complete its headers in 0.5 seconds, 2 times in a row" in str(raised.value)
        assert server.connections == 2


def test_a_body_may_take_longer_than_the_headers(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
    with trickling(head, b"x") as server, open_client() as client:
        file = _download(tmp_path, server.address, b"x" * 20)
        list(transfer(file, client, replace(LIMITS, headers=0.2)))
    assert file.target.read_bytes() == b"x" * 20


REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: ADDRESS/again\r\n"


def test_redirects_without_an_end_are_refused(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trickling(REDIRECT + b"Content-Length: 0\r\n\r\n") as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        assert "redirects without an end" in refusal_of_listing(replace(LIMITS, listing=10))
        assert server.connections == deadline.MAX_REDIRECTS
        with open_client() as client, pytest.raises(FetchError, match="redirects without an end"):
            list(transfer(_download(tmp_path, server.address), client, replace(LIMITS, headers=10)))


def test_the_body_of_a_redirect_is_not_read(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trickling(REDIRECT + b"\r\n", b"x" * 65536, pause=0.0) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        assert "redirects without an end" in refusal_of_listing(replace(LIMITS, listing=10))
        with open_client() as client, pytest.raises(FetchError, match="redirects without an end"):
            list(transfer(_download(tmp_path, server.address), client, replace(LIMITS, headers=10)))


def test_an_error_of_the_connection_is_no_deadline(tmp_path: Path) -> None:
    with (
        trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx") as server,
        open_client() as client,
        pytest.raises(httpx2.RemoteProtocolError),
        deadline.get(
            client, server.address, {}, silence=2.0, deadline=5.0, covers_body=True
        ) as response,
    ):
        response.read()


def _download(folder: Path, address: str, content: bytes = b"x" * 9999) -> Download:
    return Download(
        "file",
        f"{address}/file",
        size=len(content),
        sha256=sha256(content).hexdigest(),
        target=folder / "file",
        lock=folder / "lock",
    )


def test_a_listing_is_one_request_that_names_this_program_only(hub: HubServer) -> None:
    hub.add("maker/repo", "small.gguf", b"GGUF")
    list(list_weights(HubName("maker/repo"), LIMITS))
    assert [path for _, path in hub.requests] == ["/api/models/maker/repo/revision/main"]
