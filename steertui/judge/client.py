"""Client of a judge's server: negotiates the request format, then sends judge prompts."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from steertui.core.reasoning import split_reasoning
from steertui.errors import JudgeError
from steertui.judge.reply import UnreadableError, read_reply
from steertui.judge.request_format import RawReply, RequestFormat, request_formats
from steertui.judge.server import KNOWN_CASE, JudgeBusyError, ServerJudge
from steertui.server.client import Client
from steertui.server.failures import ConnectionFailed, RequestRejected

UNSUPPORTED = frozenset({400, 404, 405, 415, 422, 501})
"""HTTP statuses of servers that do not know an endpoint or a setting."""

BUSY = frozenset({429, 503})
"""HTTP statuses of busy servers."""

SCHEMA_PROBE = "Say good morning."
"""Prompt that is answered in prose unless the server applies the JSON schema."""


@dataclass(frozen=True, slots=True)
class JudgeTimeouts:
    """Limits for requests to a judge's server.

    Attributes:
        concurrency: requests in flight.
        timeout: seconds for one reply.
        retries: attempts after the first.
    """

    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 5


class JudgeClient:
    """Sends the prompts of one judge to its server.

    The API key comes from the environment: OPENAI_API_KEY for OpenAI's own host; for any other
    host, the key that STEERTUI_JUDGE_KEY binds to that host.

    Attributes:
        judge: the judge.
        request_format: the format in use; negotiated by `negotiate`.
    """

    def __init__(self, judge: ServerJudge, limits: JudgeTimeouts) -> None:
        self.judge = judge
        formats = request_formats(is_openai=judge.is_openai, sampling=judge.sampling)
        self.request_format = formats[0]
        self._replies: list[RawReply] = []
        self._client = Client(
            judge.url, judge.require_key(), timeout=limits.timeout, retries=limits.retries
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, value, trace)

    async def require_server(self) -> None:
        """Ask the server for its list of models, which costs nothing.

        Raises JudgeError if no server responds or it does not accept the key. Any other response
        is ignored, since not every server has such a list.
        """
        try:
            await self._client.get("/models")
        except RequestRejected as exc:
            if exc.status == 401:
                self._raise_if_fatal(exc, during_negotiation=False)
        except ConnectionFailed as exc:
            if not exc.was_sent:
                raise self._no_server(exc) from None

    async def negotiate(self) -> list[RawReply]:
        """Judge the known case in every format until one gives a label; keep that format.

        A content filter that refuses the known case says nothing about the format, which is kept,
        too. Returns all replies so far, since each of them is paid for; the last one has the label
        or is filtered. Raises JudgeBusyError if the server is busy, and JudgeError if the key, the
        model, the quota or the server is wrong, or no format gives a label.
        """
        failures: dict[str, None] = {}
        for preferred in request_formats(
            is_openai=self.judge.is_openai, sampling=self.judge.sampling
        ):
            request_format: RequestFormat | None = preferred
            while request_format:
                try:
                    failure = await self._try(request_format)
                except RequestRejected as exc:
                    changed = request_format.adapted(exc)
                    if changed is None:
                        failures[f"{request_format.api_name}: {exc}"] = None
                    request_format = changed
                    continue
                if not failure or self._replies[-1].is_filtered:
                    self.request_format = request_format
                    return self._replies
                failures[f"{request_format.api_name}: {failure}"] = None
                break
        raise JudgeError(
            f"{self.judge.name}: does not label the known case ({'; '.join(failures)}); check the "
            f"model and the base URL {self.judge.url} (for most servers it ends in /v1)"
        )

    async def ask(self, system: str, user: str) -> RawReply:
        """Send one judge prompt; return the reply, or a reply with the failure.

        Raises JudgeError only if every further request would fail: key or quota.
        """
        try:
            return await self._post(self.request_format, system, user)
        except RequestRejected as exc:
            self._raise_if_fatal(exc, during_negotiation=False)
            return RawReply("", str(exc))
        except ConnectionFailed as exc:
            if exc.timed_out:
                return RawReply("", "the request timed out")
            return RawReply("", f"the connection failed ({exc.cause})")

    async def _try(self, request_format: RequestFormat) -> str:
        """Return what is wrong with a format, or ""; append the replies to `_replies`."""
        if request_format.has_schema and not self.judge.is_openai:
            # Some servers accept a schema and ignore it.
            reply = await self._probe(request_format, "", SCHEMA_PROBE)
            if not split_reasoning(reply.text)[1].lstrip().startswith("{"):
                return reply.failure or "the server accepts a JSON schema and ignores it"
        reply = await self._probe(request_format, *self.judge.messages(KNOWN_CASE))
        if reply.failure:
            return reply.failure
        try:
            read_reply(reply.text)
        except UnreadableError as exc:
            return str(exc)
        return ""

    async def _probe(self, request_format: RequestFormat, system: str, user: str) -> RawReply:
        """Send a prompt during negotiation, where errors of the server's setup are fatal.

        Raises RequestRejected if the server does not accept the format.
        """
        try:
            reply = await self._post(request_format, system, user)
        except RequestRejected as exc:
            self._raise_if_setup(exc)
            reply = RawReply("", str(exc), is_filtered=exc.is_filtered)
        except ConnectionFailed as exc:
            raise self._no_server(exc) from None
        self._replies.append(reply)
        return reply

    def _no_server(self, exc: ConnectionFailed) -> JudgeError:
        return JudgeError(
            f"{self.judge.name}: no server responds at {self.judge.url} ({exc.cause}); "
            "start it, or check the base URL"
        )

    def _raise_if_setup(self, exc: RequestRejected) -> None:
        """Raise if the rejection is about the server's setup or the format, not the prompt."""
        if exc.is_filtered:
            return
        if exc.is_unknown_model:
            raise JudgeError(
                f"{self.judge.name}: the server does not know the model ({exc.message}); check "
                "its name"
            ) from None
        if exc.status in UNSUPPORTED:
            raise exc
        self._raise_if_fatal(exc, during_negotiation=True)
        if exc.status in BUSY:
            raise JudgeBusyError(
                f"{self.judge.name}: the server is busy ({exc}); try again later",
                exc.retry_after,
            ) from None

    async def _post(self, request_format: RequestFormat, system: str, user: str) -> RawReply:
        body = request_format.body(self.judge.model, system, user)
        return request_format.parse(await self._client.post(request_format.path, body))

    def _raise_if_fatal(self, exc: RequestRejected, *, during_negotiation: bool) -> None:
        """Raise JudgeError if the rejection is not about this prompt."""
        if exc.is_filtered:
            return
        if exc.status == 401 or (during_negotiation and exc.status == 403):
            raise JudgeError(
                f"{self.judge.name}: the server does not accept the key (HTTP {exc.status}); "
                f"put a valid one into {self.judge.key_place}"
            ) from None
        if exc.is_quota_exceeded:
            raise JudgeError(
                f"{self.judge.name}: the account's quota is used up; add credit, then try again"
            ) from None
