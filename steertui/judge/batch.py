"""The Batch API: many questions in a file, their replies in another within a day, at half price."""

import json
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from steertui.errors import JudgeError, shorten
from steertui.judge.client import NOT_TAKEN, JudgeClient
from steertui.judge.protocol import Body, RawReply, RequestFormat
from steertui.server.client import ConnectionFailed, RequestRejected

OVER = frozenset({"completed", "failed", "expired", "cancelled"})
"""Statuses after which nothing more comes."""

MARK = "steertui"
"""Under this key a batch's metadata hold the mark by which it is found again."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchState:
    """Where a batch stands, as the server says.

    Attributes:
        id: the server's name for it.
        status: such as "in_progress" or "completed".
        done: questions answered or failed.
        total: questions.
        files: ids of the files with what came: replies, errors.
        said: why it failed as a whole, "" otherwise.
    """

    id: str
    status: str
    done: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    said: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.status in OVER


class BatchClient(JudgeClient):
    """Sends and fetches batches of one judge's questions.

    Raises JudgeError, naming the remedy, for whatever keeps a batch from being sent or fetched.
    """

    def line(self, key: str, system: str, user: str) -> bytes:
        """Return one question as a line of a batch's file; `key` comes back with its reply."""
        body = self.way.body(self.judge.model, system, user)
        return json.dumps(
            {"custom_id": key, "method": "POST", "url": f"/v1{self.way.path}", "body": body}
        ).encode()

    async def send(self, mark: str, lines: Iterable[bytes]) -> BatchState:
        """Upload the questions and start their batch, which bears the mark."""
        text = b"\n".join(lines) + b"\n"
        file = await self._done("take a file", self._client.upload(f"{MARK}-{mark}.jsonl", text))
        body = {
            "input_file_id": file,
            "endpoint": f"/v1{self.way.path}",
            "completion_window": "24h",
            "metadata": {MARK: mark},
        }
        return _state(await self._done("start a batch", self._client.post("/batches", body)))

    async def find(self, mark: str, since: float) -> BatchState | None:
        """Return the batch with this mark among those made after `since`, seconds of the epoch."""
        after = ""
        while True:
            path = f"/batches?limit=100{after}"
            page: Any = await self._done("list its batches", self._client.get(path))
            for batch in page["data"]:
                if (batch.get("metadata") or {}).get(MARK) == mark:
                    return _state(batch)
                if batch["created_at"] < since:
                    return None
            if not page.get("has_more"):
                return None
            after = f"&after={page['data'][-1]['id']}"

    async def look(self, batch: str) -> BatchState | None:
        """Return where a batch stands; None where the server cannot be reached now."""
        try:
            return _state(await self._client.get(f"/batches/{batch}"))
        except RequestRejected as exc:
            if exc.status >= 500 or exc.status == 429:
                return None
            raise self._trouble("know the batch", exc) from None
        except ConnectionFailed:
            return None

    async def fetch(self, state: BatchState, way: RequestFormat) -> dict[str, RawReply]:
        """Return a batch's replies, and why others failed, by their questions' keys."""
        found: dict[str, RawReply] = {}
        for file in state.files:
            text = await self._done("give a file", self._client.download(file))
            found |= read_replies(text, way)
        scrub = self._client.scrub
        return {key: replace(r, failure=scrub(r.failure)) for key, r in found.items()}

    async def _done(self, what: str, call: Awaitable[T]) -> T:
        try:
            return await call
        except RequestRejected as exc:
            raise self._trouble(what, exc) from None
        except ConnectionFailed as exc:
            raise JudgeError(
                f"{self.judge.name}: the server did not {what} ({exc.cause}); what was sent goes "
                "on there, run the same again"
            ) from None

    def _trouble(self, what: str, exc: RequestRejected) -> JudgeError:
        self._refuse(exc, in_advance=True)
        if exc.status in NOT_TAKEN - {400, 422}:
            return JudgeError(
                f"{self.judge.name}: the server has no Batch API, or does not {what} "
                f"({exc.said}); leave --judge-batch out"
            )
        return JudgeError(
            f"{self.judge.name}: the server did not {what} ({exc}); run the same again"
        )


def read_replies(text: str, way: RequestFormat) -> dict[str, RawReply]:
    """Return the replies that a batch's output or error file holds, by their questions' keys.

    A line that cannot be read is left out: its question then counts as unanswered.
    """
    found = {}
    for line in text.split("\n"):  # and not splitlines: a JSON string may hold U+2028
        try:
            data = json.loads(line)
            found[str(data["custom_id"])] = _reply(data, way)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _reply(data: Body, way: RequestFormat) -> RawReply:
    error, response = data.get("error") or {}, data.get("response") or {}
    body, status = response.get("body"), response.get("status_code")
    if error:
        return RawReply(
            "", shorten(f"the batch says {error.get('code')}: {error.get('message')}", 200)
        )
    if status != 200:
        said = body.get("error") or body if isinstance(body, dict) else body
        said = said.get("message") if isinstance(said, dict) else said
        return RawReply("", shorten(f"HTTP {status}: {said}", 200))
    return replace(way.read(body), request=str(data.get("id") or ""))


def _state(batch: Any) -> BatchState:
    counts = batch.get("request_counts") or {}
    done = (counts.get("completed") or 0) + (counts.get("failed") or 0)
    files = tuple(f for f in (batch.get("output_file_id"), batch.get("error_file_id")) if f)
    errors = (batch.get("errors") or {}).get("data") or []
    said = shorten("; ".join(f"{e.get('code')}: {e.get('message')}" for e in errors), 200)
    total = counts.get("total") or 0
    return BatchState(str(batch["id"]), str(batch["status"]), done, total, files, said)
