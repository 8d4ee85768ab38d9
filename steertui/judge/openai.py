"""The only door to openai: asks OpenAI's server, and every other that speaks its API."""

import json
import os
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2
import openai

from steertui.errors import JudgeError
from steertui.judge.reply import UnreadableError, read_reply, shorten
from steertui.judge.server import KNOWN, ServerJudge
from steertui.judge.way import Body, Reply, Way, ways

NOT_TAKEN = frozenset({400, 404, 405, 415, 422, 501})
"""Statuses by which servers say that they do not know an endpoint or a setting."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a server is asked: questions at once, seconds for each, tries after the first."""

    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 5


class _NotTakenError(Exception):
    """A server does not take a request of this form; `args[0]` is its complaint."""


class Client:
    """Asks one judge's server.

    Retries are openai's own: 408, 409, 429, 5xx, cut connections and timeouts, with exponential
    backoff and jitter, or after what Retry-After says (two minutes at most). The key comes from
    the environment (OPENAI_API_KEY for OpenAI's own server, STEERTUI_JUDGE_KEY for any other, so
    that a key is never sent to a stranger), and is cut out of whatever a server says.
    """

    def __init__(self, judge: ServerJudge, patience: Patience) -> None:
        self.judge = judge
        self.way = ways(is_openai=judge.is_openai)[0]
        self._key = _key(judge)
        self._client = openai.AsyncOpenAI(
            api_key=self._key or "none",
            base_url=judge.url,
            timeout=patience.timeout,
            max_retries=patience.retries,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def find_way(self) -> Reply:
        """Ask the known answer in every way until one gives a label; keep that way.

        Returns the reply. Raises JudgeError naming the remedy where the key, the model, the
        quota or the server is wrong, or where no way gives a label.
        """
        said = ""
        for first in ways(is_openai=self.judge.is_openai):
            way: Way | None = first
            while way:
                try:
                    reply = await self._known(way)
                except _NotTakenError as exc:
                    said, way = str(exc), way.without(str(exc))
                    continue
                if not reply.failure:
                    try:
                        read_reply(reply.text)
                    except UnreadableError as exc:
                        said = str(exc)
                        break
                    self.way = way
                    return reply
                said = reply.failure
                break
        raise JudgeError(
            f"{self.judge.name}: gives no label to a known answer ({said}); check model and "
            f"address {self.judge.url} (most servers' ends in /v1)"
        )

    async def _known(self, way: Way) -> Reply:
        body = way.body(self.judge.model, *self.judge.messages(KNOWN))
        try:
            return way.read(await self._post(way.path, body))
        except openai.APIStatusError as exc:
            said = self._said(exc)
            if "model" in said and exc.status_code in (400, 404) and _is_unknown_model(exc, said):
                raise JudgeError(
                    f"{self.judge.name}: the server does not know the model ({said}); check its "
                    "name"
                ) from None
            if exc.status_code in NOT_TAKEN:
                raise _NotTakenError(said) from None
            self._refuse(exc, in_advance=True)
            return Reply("", f"HTTP {exc.status_code}: {said}")
        except openai.APIConnectionError as exc:
            raise JudgeError(
                f"{self.judge.name}: no server answers at {self.judge.url} ({_cause(exc)}); "
                "start it, or check the address"
            ) from None

    async def ask(self, system: str, user: str) -> Reply:
        """Ask one question; return the reply, or a reply that holds why there is none.

        Raises JudgeError only where every further question would fail: key or quota.
        """
        body = self.way.body(self.judge.model, system, user)
        try:
            return self.way.read(await self._post(self.way.path, body))
        except openai.APIStatusError as exc:
            self._refuse(exc, in_advance=False)
            return Reply("", f"HTTP {exc.status_code}: {self._said(exc)}")
        except openai.APITimeoutError:
            return Reply("", "the server gave no reply in time")
        except openai.APIConnectionError as exc:
            return Reply("", f"the connection failed ({_cause(exc)})")

    async def _post(self, path: str, body: Body) -> object:
        # The raw response: a server's JSON is read here, whatever its type says.
        response = await self._client.post(path, cast_to=httpx2.Response, body=body)
        try:
            return json.loads(response.text)
        except (json.JSONDecodeError, UnicodeDecodeError):
            return None

    def _refuse(self, exc: openai.APIStatusError, *, in_advance: bool) -> None:
        """Raise JudgeError where the server's refusal is not about this question."""
        name, variable = self.judge.name, key_variable(self.judge)
        if exc.status_code == 401 or (in_advance and exc.status_code == 403):
            raise JudgeError(
                f"{name}: the server does not accept the key (HTTP {exc.status_code}); "
                f"put a valid one into {variable}"
            ) from None
        if exc.code == "insufficient_quota":
            raise JudgeError(
                f"{name}: the account's quota is used up; add credit, then run the same again"
            ) from None

    def _said(self, exc: openai.APIStatusError) -> str:
        """Return what the server said, without the key."""
        body = exc.body
        text = str(body.get("message") or body) if isinstance(body, dict) else str(body or exc)
        param = f" [{exc.param}]" if exc.param else ""
        return scrub(shorten(text, 200) + param, self._key)


def key_variable(judge: ServerJudge) -> str:
    """Return the name of the environment variable that holds the judge's key."""
    return "OPENAI_API_KEY" if judge.is_openai else "STEERTUI_JUDGE_KEY"


def _key(judge: ServerJudge) -> str:
    """Return the key; raises JudgeError where OpenAI's own server would need one."""
    variable = key_variable(judge)
    key = os.environ.get(variable, "").strip()
    if judge.is_openai and not key:
        raise JudgeError(f"{judge.name}: needs a key; put it into {variable} and run again")
    return key


def scrub(text: str, key: str) -> str:
    """Return the text without the key and whatever else looks like one."""
    if key:
        text = text.replace(key, "[key]")
    return re.sub(r"\bsk-[\w*.-]+", "[key]", text)


def _is_unknown_model(exc: openai.APIStatusError, said: str) -> bool:
    marks = ("does not exist", "not found", "not exist", "unknown model", "invalid model")
    return exc.code == "model_not_found" or any(mark in said.lower() for mark in marks)


def _cause(exc: openai.APIConnectionError) -> str:
    if isinstance(exc, openai.APITimeoutError):
        return "no reply in time"
    cause: Any = exc.__cause__
    return shorten(str(cause) or type(cause).__name__ if cause else str(exc), 80)
