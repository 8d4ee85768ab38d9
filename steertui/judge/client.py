"""What asks a judge's server: the known answer first, in every way until one gives a label."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from steertui.core.reasoning import split_reasoning
from steertui.errors import JudgeError
from steertui.judge.protocol import RawReply, RequestFormat, request_formats
from steertui.judge.reply import UnreadableError, read_reply
from steertui.judge.server import KEY, KNOWN, ServerJudge
from steertui.server.address import key_for
from steertui.server.client import Client, ConnectionFailed, RequestRejected

NOT_TAKEN = frozenset({400, 404, 405, 415, 422, 501})
"""Statuses by which servers say that they do not know an endpoint or a setting."""

GREETING = "Say good morning."
"""Answered in prose unless the reply is bound to a schema."""


@dataclass(frozen=True, slots=True)
class JudgeTimeouts:
    """How a server is asked: questions at once, seconds for each, tries after the first."""

    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 5


class _NotTakenError(Exception):
    """A server does not take a request of this form; `args[0]` is its complaint."""


class JudgeClient:
    """Asks one judge's server.

    The key comes from the environment: OPENAI_API_KEY for OpenAI's own host, for any other the
    key that STEERTUI_JUDGE_KEY binds to that host.
    """

    def __init__(self, judge: ServerJudge, patience: JudgeTimeouts) -> None:
        self.judge = judge
        self.way = request_formats(is_openai=judge.is_openai)[0]
        key = key_for(judge.url, KEY, JudgeError)
        if judge.is_openai and not key:
            raise JudgeError(
                f"{judge.name}: needs a key; put it into {judge.key_variable} and run again"
            )
        p = patience
        self._client = Client(judge.url, key, timeout=p.timeout, retries=p.retries)

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

    async def find_way(self) -> list[RawReply]:
        """Ask the known answer in every way until one gives a label; keep that way.

        Returns all replies, since each is paid for; the last is the label. Raises JudgeError
        naming the remedy where the key, the model, the quota or the server is wrong, or where no
        way gives a label.
        """
        replies: list[RawReply] = []
        said = ""
        for first in request_formats(is_openai=self.judge.is_openai):
            way: RequestFormat | None = first
            while way:
                try:
                    said = await self._try(way, replies)
                except _NotTakenError as exc:
                    said, way = str(exc), way.without(str(exc))
                    continue
                if not said:
                    self.way = way
                    return replies
                break
        raise JudgeError(
            f"{self.judge.name}: gives no label to a known answer ({said}); check model and "
            f"address {self.judge.url} (most servers' ends in /v1)"
        )

    async def _try(self, way: RequestFormat, replies: list[RawReply]) -> str:
        """Return what is wrong with a way, "" for nothing; `replies` gets what came."""
        if way.is_strict and not self.judge.is_openai:
            # Some servers take a schema and do not heed it; then nothing may say that they do.
            replies.append(await self._asked(way, "", GREETING))
            if not split_reasoning(replies[-1].text)[1].lstrip().startswith("{"):
                return replies[-1].failure or "it takes a JSON schema and does not heed it"
        replies.append(await self._asked(way, *self.judge.messages(KNOWN)))
        if replies[-1].failure:
            return replies[-1].failure
        try:
            read_reply(replies[-1].text)
        except UnreadableError as exc:
            return str(exc)
        return ""

    async def _asked(self, way: RequestFormat, system: str, user: str) -> RawReply:
        body = way.body(self.judge.model, system, user)
        try:
            return way.read(await self._client.post(way.path, body))
        except RequestRejected as exc:
            if exc.is_unknown_model:
                raise JudgeError(
                    f"{self.judge.name}: the server does not know the model ({exc.said}); check "
                    "its name"
                ) from None
            if exc.status in NOT_TAKEN:
                raise _NotTakenError(exc.said) from None
            self._refuse(exc, in_advance=True)
            return RawReply("", str(exc))
        except ConnectionFailed as exc:
            raise JudgeError(
                f"{self.judge.name}: no server answers at {self.judge.url} ({exc.cause}); "
                "start it, or check the address"
            ) from None

    async def ask(self, system: str, user: str) -> RawReply:
        """Ask one question; return the reply, or a reply that holds why there is none.

        Raises JudgeError only where every further question would fail: key or quota.
        """
        body = self.way.body(self.judge.model, system, user)
        try:
            return self.way.read(await self._client.post(self.way.path, body))
        except RequestRejected as exc:
            self._refuse(exc, in_advance=False)
            return RawReply("", str(exc))
        except ConnectionFailed as exc:
            if exc.late:
                return RawReply("", "the server gave no reply in time")
            return RawReply("", f"the connection failed ({exc.cause})")

    def _refuse(self, exc: RequestRejected, *, in_advance: bool) -> None:
        """Raise JudgeError where the server's refusal is not about this question."""
        name, place = self.judge.name, self.judge.key_place
        if exc.status == 401 or (in_advance and exc.status == 403):
            raise JudgeError(
                f"{name}: the server does not accept the key (HTTP {exc.status}); "
                f"put a valid one into {place}"
            ) from None
        if exc.is_quota:
            raise JudgeError(
                f"{name}: the account's quota is used up; add credit, then run the same again"
            ) from None
