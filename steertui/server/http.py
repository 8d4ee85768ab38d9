"""HTTP client with limits on the size and the total time of every response."""

import asyncio
from contextlib import aclosing
from typing import Any

import httpx2

from steertui.server.error_body import read_error
from steertui.untrusted import (
    MAX_BYTES,
    InvalidJsonError,
    LimitedBody,
    UnusableBodyError,
    one_line,
    parse_json,
    seconds,
    table_of,
)

MAX_FILE_BYTES = 256 << 20
"""Largest file of the Batch API in bytes: 50,000 replies of 5 KiB."""

FILE_SECONDS = 3600.0
"""Longest upload or download of a file of the Batch API, in seconds."""

MAX_LOCATION = 500
"""Characters of a redirect's target that are kept."""

MAX_ERROR_BYTES = 1 << 16
"""Largest body in bytes that can be an error with status 200."""

_ANSWER_KEYS = frozenset({"choices", "output", "data"})

_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


class LimitedClient(httpx2.AsyncClient):
    """Reads each response completely, within its limits, and drops all headers but a few.

    A response that takes longer than `deadline` seconds raises httpx2.ReadTimeout, however often
    its bytes arrive. One that is too large after decompression, or has an encoding that was not
    asked for, raises UnusableBodyError.
    """

    def __init__(self, *, deadline: float, **settings: Any) -> None:
        super().__init__(**settings, headers={"Accept-Encoding": "gzip"})
        self._deadline = deadline

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        """Send a request; return its response, which has been read."""
        is_file = _is_file(request)
        body = LimitedBody(MAX_FILE_BYTES if is_file else MAX_BYTES)
        try:
            async with asyncio.timeout(max(self._deadline, FILE_SECONDS * is_file)):
                response = await super().send(request, **settings | {"stream": True})
                async with aclosing(response):
                    _check_encoding(response)
                    async for chunk in response.aiter_bytes():
                        body.add(chunk)
        except TimeoutError:
            raise httpx2.ReadTimeout("the response was not complete", request=request) from None
        return httpx2.Response(
            _status(response.status_code, body.content),
            headers=_kept_headers(response),
            content=body.content,
            request=request,
        )


def _status(status: int, content: bytes) -> int:
    """Return the status of a response; that in its body if it is an error with status 200.

    OpenRouter and other gateways send the status before they call the provider.
    """
    if status != 200 or len(content) > MAX_ERROR_BYTES or b'"error"' not in content:
        return status
    try:
        data = parse_json(content)
    except InvalidJsonError:
        return status
    has_answer = any(table_of(data).get(key) for key in _ANSWER_KEYS)
    error = None if has_answer else read_error(data)
    return (error.status if error else 0) or status


def _is_file(request: httpx2.Request) -> bool:
    parts = request.url.path.split("/")
    return parts[-1] == "files" or (parts[-1] == "content" and "files" in parts)


def _check_encoding(response: httpx2.Response) -> None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise UnusableBodyError(f"the response has the encoding {one_line(encoding, 40)}")


def _kept_headers(response: httpx2.Response) -> dict[str, str]:
    """Return the headers that are used, with their values in normal form."""
    kept = {"content-type": "application/json"}
    delay = seconds(response.headers.get("retry-after"))
    if delay is not None:
        kept["retry-after"] = f"{delay:g}"
    location = response.headers.get("location")
    if location:
        kept["location"] = one_line(location, MAX_LOCATION).encode("ascii", "replace").decode()
    return kept
