"""HTTP client of one OpenAI-compatible server; the only module that imports openai.

Responses are returned as plain JSON, since servers deviate from the library's types. Errors are
`RequestRejected` or `ConnectionFailed`.
"""

from collections.abc import Awaitable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

import httpx2

from steertui.server.address import is_openai_host
from steertui.server.error_body import ErrorBody, read_error, text_of_page
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.http import LimitedClient
from steertui.untrusted import (
    InvalidJsonError,
    UnusableBodyError,
    one_line,
    parse_json,
    seconds,
    table_of,
    text_of,
)
from steertui.urls import is_loopback

if TYPE_CHECKING:  # the import takes a quarter of a second; runs without servers do without
    import openai

MAX_CONNECTIONS = 1024
"""Connections to one server, open or idle."""

KEEP_ALIVE = 5.0
"""Seconds before an idle connection is closed. The pool visits each of them at every request."""

CONNECT_TIMEOUT = 10.0
"""Seconds for establishing a connection."""

MAX_MESSAGE = 200
"""Characters of a server's error message that are kept."""

MAX_PARAMETER = 80
"""Characters of the setting that an error names."""

MAX_CAUSE = 80
"""Characters of the cause of a failed connection that are kept."""

T = TypeVar("T")


class Client:
    """Connection pool to one server; an asynchronous context manager.

    openai retries 408, 409, 429, 5xx, broken connections and timeouts `retries` times, with
    exponential backoff and jitter or after Retry-After (two minutes at most). `timeout` limits
    each attempt, however slowly its bytes arrive. API keys are removed from all text. Redirects
    are not followed, since they would take prompts to an address that the user did not name.
    """

    def __init__(self, url: str, key: str, *, timeout: float, retries: int) -> None:
        import openai

        self.url = url
        self._key = key
        limits = httpx2.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
        )
        connect = min(timeout, CONNECT_TIMEOUT)
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=url,
            max_retries=retries,
            http_client=LimitedClient(
                deadline=timeout + connect,
                limits=limits,
                timeout=httpx2.Timeout(timeout, connect=connect),
                follow_redirects=False,
                # A proxy of the environment would get the key of a server on this machine.
                transport=httpx2.AsyncHTTPTransport(limits=limits) if is_loopback(url) else None,
            ),
        )
        if not is_openai_host(url):
            self._drop_openai_environment()

    def _drop_openai_environment(self) -> None:
        """Remove the headers that openai takes from OPENAI_ORG_ID and other variables."""
        self._client.organization = None
        self._client.project = None
        self._client.admin_api_key = None
        self._client._custom_headers = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def post(self, path: str, body: dict[str, Any]) -> object:
        """Send a request; return the JSON of the response, None if it is not JSON.

        Raises RequestRejected or ConnectionFailed.
        """
        call = self._client.post(path, cast_to=httpx2.Response, body=body)
        return _json(await self._translate_errors(call))

    async def get(self, path: str) -> object:
        """Return the JSON at a path below the base URL, or at a URL. Raises as `post`."""
        return _json(await self._translate_errors(self._client.get(path, cast_to=httpx2.Response)))

    async def upload(self, name: str, lines: bytes) -> str:
        """Upload a batch file; return the server's id of it, "" if it gives none.

        Raises as `post`.
        """
        call = self._client.post(
            "/files",
            cast_to=httpx2.Response,
            body={"purpose": "batch"},
            files=[("file", (name, lines, "application/jsonl"))],
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )
        return text_of(table_of(_json(await self._translate_errors(call))).get("id"))

    async def download(self, file: str) -> bytes:
        """Return the content of a file on the server. Raises as `post`."""
        path = f"/files/{quote(file, safe='')}/content"
        call = self._client.get(path, cast_to=httpx2.Response)
        return (await self._translate_errors(call)).content

    async def _translate_errors(self, call: Awaitable[T]) -> T:
        """Return the result of a call to openai, whose errors become those of this module."""
        import openai

        try:
            return await call
        except openai.APIStatusError as exc:
            error = read_error(_json(exc.response)) or ErrorBody("")
            raise RequestRejected(
                exc.status_code,
                self._message(exc.response, error),
                error,
                retry_after=seconds(exc.response.headers.get("retry-after")),
            ) from None
        except openai.APIConnectionError as exc:
            raise self._connection_failed(exc) from None
        except UnusableBodyError as exc:
            raise ConnectionFailed(str(exc), was_sent=True, timed_out=False) from None

    def _message(self, response: httpx2.Response, error: ErrorBody) -> str:
        """Return the server's error message or the target of its redirect, without keys."""
        target = response.headers.get("location")
        if response.is_redirect and target:
            target = one_line(target, 120, self._key)
            return f"it redirects to {target}; if you trust that address, name it instead"
        data = _json(response)
        text = error.message or (str(data) if data else text_of_page(response.text))
        parameter = one_line(error.parameter, MAX_PARAMETER, self._key)
        suffix = f" [{parameter}]" if parameter else ""
        return one_line(text or "no reason given", MAX_MESSAGE, self._key) + suffix

    def _connection_failed(self, exc: "openai.APIConnectionError") -> ConnectionFailed:
        import openai

        cause: Any = exc.__cause__
        was_sent = not isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
        if isinstance(exc, openai.APITimeoutError):
            return ConnectionFailed("no response in time", was_sent=was_sent, timed_out=was_sent)
        message = str(cause) or type(cause).__name__ if cause else str(exc)
        short = one_line(message, MAX_CAUSE, self._key)
        return ConnectionFailed(short, was_sent=was_sent, timed_out=False)


def _json(response: httpx2.Response) -> object:
    try:
        return parse_json(response.content)
    except InvalidJsonError:
        return None
