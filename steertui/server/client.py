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

_UNKNOWN_MODEL = ("does not exist", "not found", "not exist", "unknown model", "invalid model")


class RequestRejected(Exception):
    """The server responded with an error status.

    Attributes:
        status: HTTP status.
        message: the server's error message in one line, without keys.
        code: the error code of OpenAI's API; "" if there is none.
        retry_after: seconds after which the server wants to be asked again; None if not given.
    """

    def __init__(
        self, status: int, message: str, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status
        self.message = message
        self.code = code
        self.retry_after = retry_after

    @property
    def is_key_rejected(self) -> bool:
        """Whether the server does not accept the API key."""
        return self.status in (401, 403)

    @property
    def is_unknown_model(self) -> bool:
        """Whether the server does not know the model."""
        is_about_model = self.status in (400, 404) and "model" in self.message
        is_unknown = any(phrase in self.message.lower() for phrase in _UNKNOWN_MODEL)
        return is_about_model and (self.code == "model_not_found" or is_unknown)

    @property
    def is_quota_exceeded(self) -> bool:
        """Whether the account's quota is used up."""
        return self.code == "insufficient_quota"


class ConnectionFailed(Exception):
    """No response was received.

    Attributes:
        cause: why, in a few words.
        was_sent: whether the request may have reached the server.
        timed_out: whether the response took too long.
    """

    def __init__(self, cause: str, *, was_sent: bool, timed_out: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.was_sent = was_sent
        self.timed_out = timed_out


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
            raise RequestRejected(
                exc.status_code,
                self._message(exc.response),
                code=text_of(_error_of(exc.response).get("code")),
                retry_after=seconds(exc.response.headers.get("retry-after")),
            ) from None
        except openai.APIConnectionError as exc:
            raise self._connection_failed(exc) from None
        except UnusableBodyError as exc:
            raise ConnectionFailed(str(exc), was_sent=True, timed_out=False) from None

    def _message(self, response: httpx2.Response) -> str:
        """Return the server's error message or the target of its redirect, without keys."""
        target = response.headers.get("location")
        if response.is_redirect and target:
            target = one_line(target, 120, self._key)
            return f"it redirects to {target}; if you trust that address, name it instead"
        error = _error_of(response)
        data = _json(response)
        text = text_of(error.get("message")) or (str(data) if data else response.text)
        parameter = text_of(error.get("param"))
        suffix = f" [{one_line(parameter, MAX_PARAMETER, self._key)}]" if parameter else ""
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


def _error_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the object with the error's message and code."""
    data = table_of(_json(response))
    return table_of(data.get("error")) or data
