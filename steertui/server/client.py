"""The only door to openai: sends requests to OpenAI's server, and every other that speaks its API.

What comes back is plain JSON, since servers differ in what their types promise; what goes wrong is
one of two exceptions, so that nobody else needs to know the library.
"""

import json
import re
from collections.abc import Awaitable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2

from steertui.errors import shorten
from steertui.server.address import is_openai_host

if TYPE_CHECKING:  # it takes a quarter of a second: who talks to no server does without
    import openai

MOST_CONNECTIONS = 1024

KEEP_ALIVE = 5.0
"""Seconds that an idle connection is kept: the pool looks at each of them for every request."""

CONNECT = 10.0
"""Seconds for a connection to be made."""

T = TypeVar("T")

_UNKNOWN = ("does not exist", "not found", "not exist", "unknown model", "invalid model")


class RequestRejected(Exception):
    """A server answered, and not with what was asked for.

    Attributes:
        status: the HTTP status.
        said: what it said, in a line, any key cut out.
        code: its own word for the reason, "" for none.
        wait: seconds after which it wants to be asked again; None where it says none.
    """

    def __init__(self, status: int, said: str, code: str = "", wait: float | None = None) -> None:
        super().__init__(f"HTTP {status}: {said}")
        self.status, self.said, self.code, self.wait = status, said, code, wait

    @property
    def is_unknown_model(self) -> bool:
        """Whether the server does not know the model."""
        about = self.status in (400, 404) and "model" in self.said
        marked = any(mark in self.said.lower() for mark in _UNKNOWN)
        return about and (self.code == "model_not_found" or marked)

    @property
    def is_quota(self) -> bool:
        """Whether the account's money is used up."""
        return self.code == "insufficient_quota"


class ConnectionFailed(Exception):
    """No answer came: why, whether the request was on its way, and whether time ran out."""

    def __init__(self, cause: str, *, sent: bool, late: bool) -> None:
        super().__init__(cause)
        self.cause, self.sent, self.late = cause, sent, late


class Client:
    """One server.

    `retries` are openai's own: 408, 409, 429, 5xx, cut connections and timeouts, with exponential
    backoff and jitter, or after what Retry-After says (two minutes at most). The key is cut out of
    whatever the server says. No redirect is followed, since it would take prompts to an address
    that the user did not name.
    """

    def __init__(self, url: str, key: str, *, timeout: float, retries: int) -> None:
        import openai

        self.url = url
        self._key = key
        limits = httpx2.Limits(
            max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
        )  # fmt: skip
        self._timeout = httpx2.Timeout(timeout, connect=min(timeout, CONNECT))
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=url,
            max_retries=retries,
            http_client=openai.DefaultAsyncHttpxClient(
                limits=limits, timeout=self._timeout, follow_redirects=False
            ),
        )
        if not is_openai_host(url):
            self._forget_environment()

    def _forget_environment(self) -> None:
        """Drop what openai read from OPENAI_ORG_ID and other variables, for any address."""
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
        """Send a request; return the JSON that comes back, None where it is none.

        Raises Refused or Unreachable.
        """
        return await self._send("POST", path, body)

    async def get(self, path: str) -> object:
        """Ask for what lies at a path (below the address) or at an address; as `post`."""
        return await self._send("GET", path, None)

    async def upload(self, name: str, lines: bytes) -> str:
        """Upload a file of requests; return the server's name for it. Raises as `post`."""
        file = (name, lines, "application/jsonl")
        held = await self._heard(self._client.files.create(file=file, purpose="batch"))
        return held.id

    async def download(self, file: str) -> str:
        """Return the text of a file that the server holds. Raises as `post`."""
        return (await self._heard(self._client.files.content(file))).text

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> object:
        if method == "GET":
            response = await self._heard(self._client.get(path, cast_to=httpx2.Response))
        else:
            response = await self._heard(
                self._client.post(path, cast_to=httpx2.Response, body=body)
            )
        try:
            return json.loads(response.content)
        except ValueError:
            return None

    async def _heard(self, call: Awaitable[T]) -> T:
        """Return what a call brings, its errors turned into ours."""
        import openai

        try:
            return await call
        except openai.APIStatusError as exc:
            wait = _seconds(exc.response.headers.get("retry-after"))
            raise RequestRejected(exc.status_code, self._said(exc), exc.code or "", wait) from None
        except openai.APIConnectionError as exc:
            raise _unreachable(exc) from None

    def scrub(self, text: str) -> str:
        """Return the text without the key."""
        return scrub(text, self._key)

    def _said(self, exc: "openai.APIStatusError") -> str:
        """Return what the server said, or where it redirects to, without the key."""
        target = exc.response.headers.get("location")
        if exc.response.is_redirect and target:
            told = f"it redirects to {shorten(target)}; if you trust that address, name it instead"
            return scrub(told, self._key)
        body = exc.body
        text = str(body.get("message") or body) if isinstance(body, dict) else str(body or exc)
        param = f" [{exc.param}]" if exc.param else ""
        return scrub(shorten(text, 200) + param, self._key)


def scrub(text: str, key: str) -> str:
    """Return the text without the key and whatever else looks like one."""
    if key:
        text = text.replace(key, "[key]")
    return re.sub(r"\bsk-[\w*.-]+", "[key]", text)


def _unreachable(exc: "openai.APIConnectionError") -> ConnectionFailed:
    import openai

    cause: Any = exc.__cause__
    sent = not isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
    if isinstance(exc, openai.APITimeoutError):
        return ConnectionFailed("no reply in time", sent=sent, late=sent)
    said = str(cause) or type(cause).__name__ if cause else str(exc)
    return ConnectionFailed(shorten(said, 80), sent=sent, late=False)


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
