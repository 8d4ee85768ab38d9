"""GET requests with a deadline: httpx2's timeouts restart with every byte, this one does not."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx2

MAX_REDIRECTS = 10


class DeadlineExceeded(Exception):
    """A response took longer than its deadline, however often its bytes arrived."""


@contextmanager
def get(
    client: httpx2.Client,
    url: str,
    headers: Mapping[str, str],
    *,
    silence: float,
    deadline: float,
    covers_body: bool,
    params: Mapping[str, str] | None = None,
) -> Iterator[httpx2.Response]:
    """Yield the response to a GET request; its body is read in the block.

    Args:
        client: client that sends the request, on a connection of its own.
        url: address.
        headers: request headers.
        silence: seconds without a byte after which httpx2 raises ReadTimeout.
        deadline: seconds for the headers, redirects included, after which DeadlineExceeded is
            raised.
        covers_body: whether the deadline is that of the body as well.
        params: query parameters.
    """
    watch = _Watch(deadline)
    request = client.build_request(
        "GET",
        url,
        params=params,
        headers={**headers, "Connection": "close"},
        timeout=silence,
        extensions={"trace": watch.note},
    )
    try:
        with closing(_follow(client, request)) as response:
            if not covers_body:
                watch.cancel()
            yield response
        failure = None
    except (httpx2.HTTPError, OSError) as exc:
        failure = exc
    finally:
        watch.cancel()
    if watch.is_over:
        raise DeadlineExceeded from None
    if failure:
        raise failure


def _follow(client: httpx2.Client, request: httpx2.Request) -> httpx2.Response:
    """Return the first response that is no redirect; httpx2 would read the body of each redirect.

    Its redirected requests have no credentials for another host.
    """
    for _ in range(MAX_REDIRECTS):
        response = client.send(request, stream=True, follow_redirects=False)
        if response.next_request is None:
            return response
        response.close()
        request = response.next_request
    raise httpx2.TooManyRedirects("the server redirects without an end", request=request)


class _Watch:
    """Timer that shuts the connections of a request down, so that a read in progress fails."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.is_over = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

    def note(self, _: str, info: Mapping[str, Any]) -> None:
        """Note a connection that httpcore2 has opened or encrypted (its `trace` extension)."""
        stream = info.get("return_value")
        opened = getattr(stream, "get_extra_info", lambda _: None)("socket")
        if isinstance(opened, socket.socket):
            with self._lock:
                self._sockets.append(opened)
            if self.is_over:
                self._shut()

    def _end(self) -> None:
        self.is_over = True
        self._shut()

    def _shut(self) -> None:
        with self._lock:
            for opened in self._sockets:
                with suppress(OSError):  # closed, or encrypted and thus another object
                    # Not SSLSocket's own method, which changes an object that a thread reads.
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)
