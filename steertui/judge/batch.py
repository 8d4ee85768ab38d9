"""Batch API client: requests in one file, replies in another within a day, at half the price."""

import json
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from steertui.errors import JudgeError, shorten
from steertui.judge.client import UNSUPPORTED, JudgeClient
from steertui.judge.request_format import MAX_ERROR, RawReply, RequestFormat
from steertui.server.client import ConnectionFailed, RequestRejected
from steertui.server.protocol import Body

FINAL_STATUSES = frozenset({"completed", "failed", "expired", "cancelled"})
"""Statuses of batches that will bring no more replies."""

METADATA_KEY = "steertui"
"""Key of the mark in a batch's metadata, by which the batch is found again."""

PAGE_SIZE = 100
"""Batches per page of the server's list."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchState:
    """State of a batch, as the server reports it.

    Attributes:
        id: the server's id of the batch.
        status: such as "in_progress" or "completed".
        done: requests answered or failed.
        total: requests.
        files: ids of the files with replies and with errors.
        error: why the whole batch failed; "" otherwise.
    """

    id: str
    status: str
    done: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    error: str = ""

    @property
    def is_final(self) -> bool:
        """Whether it will bring no more replies."""
        return self.status in FINAL_STATUSES


class BatchClient(JudgeClient):
    """Sends and fetches batches of one judge's prompts.

    Raises JudgeError with a remedy if a batch cannot be sent or fetched.
    """

    def line(self, key: str, system: str, user: str) -> bytes:
        """Return one request as a line of a batch file; `key` is returned with its reply."""
        request_format = self.request_format
        request = {
            "custom_id": key,
            "method": "POST",
            "url": f"/v1{request_format.path}",
            "body": request_format.body(self.judge.model, system, user),
        }
        return json.dumps(request).encode()

    async def send(self, mark: str, lines: Iterable[bytes]) -> BatchState:
        """Upload the requests and create their batch, with the mark in its metadata."""
        content = b"\n".join(lines) + b"\n"
        name = f"{METADATA_KEY}-{mark}.jsonl"
        file = await self._checked("accept a file", self._client.upload(name, content))
        body = {
            "input_file_id": file,
            "endpoint": f"/v1{self.request_format.path}",
            "completion_window": "24h",
            "metadata": {METADATA_KEY: mark},
        }
        return _state(await self._checked("create a batch", self._client.post("/batches", body)))

    async def find(self, mark: str, since: float) -> BatchState | None:
        """Return the batch with this mark, created after `since` in seconds since the epoch."""
        after = ""
        while True:
            path = f"/batches?limit={PAGE_SIZE}{after}"
            page: Any = await self._checked("list its batches", self._client.get(path))
            for batch in page["data"]:
                if (batch.get("metadata") or {}).get(METADATA_KEY) == mark:
                    return _state(batch)
                if batch["created_at"] < since:
                    return None
            if not page.get("has_more"):
                return None
            after = f"&after={page['data'][-1]['id']}"

    async def poll(self, batch: str) -> BatchState | None:
        """Return a batch's state; None if the server cannot be reached now."""
        try:
            return _state(await self._client.get(f"/batches/{batch}"))
        except RequestRejected as exc:
            if exc.status >= 500 or exc.status == 429:
                return None
            raise self._error("return the batch", exc) from None
        except ConnectionFailed:
            return None

    async def fetch(self, state: BatchState, request_format: RequestFormat) -> dict[str, RawReply]:
        """Return a batch's replies and failures by the keys of their requests."""
        replies: dict[str, RawReply] = {}
        for file in state.files:
            text = await self._checked("return a file", self._client.download(file))
            replies |= parse_batch_file(text, request_format)
        scrub = self._client.scrub
        return {key: replace(r, failure=scrub(r.failure)) for key, r in replies.items()}

    async def _checked(self, action: str, call: Awaitable[T]) -> T:
        try:
            return await call
        except RequestRejected as exc:
            raise self._error(action, exc) from None
        except ConnectionFailed as exc:
            raise JudgeError(
                f"{self.judge.name}: the server did not {action} ({exc.cause}); batches already "
                "sent continue there, run the same command again"
            ) from None

    def _error(self, action: str, exc: RequestRejected) -> JudgeError:
        self._raise_if_fatal(exc, during_negotiation=True)
        if exc.status in UNSUPPORTED - {400, 422}:
            return JudgeError(
                f"{self.judge.name}: the server has no Batch API, or does not {action} "
                f"({exc.message}); leave --judge-batch out"
            )
        return JudgeError(
            f"{self.judge.name}: the server did not {action} ({exc}); run the same command again"
        )


def parse_batch_file(text: str, request_format: RequestFormat) -> dict[str, RawReply]:
    """Return the replies in a batch's output or error file, by the keys of their requests.

    Malformed lines are skipped; their requests count as unanswered.
    """
    replies = {}
    for line in text.split("\n"):  # not splitlines: a JSON string may contain U+2028
        try:
            data = json.loads(line)
            replies[str(data["custom_id"])] = _reply(data, request_format)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return replies


def _reply(data: Body, request_format: RequestFormat) -> RawReply:
    error = data.get("error") or {}
    if error:
        failure = f"the batch reports {error.get('code')}: {error.get('message')}"
        return RawReply("", shorten(failure, MAX_ERROR))
    response = data.get("response") or {}
    body = response.get("body")
    status = response.get("status_code")
    if status != 200:
        message = body.get("error") or body if isinstance(body, dict) else body
        message = message.get("message") if isinstance(message, dict) else message
        return RawReply("", shorten(f"HTTP {status}: {message}", MAX_ERROR))
    return replace(request_format.parse(body), request=str(data.get("id") or ""))


def _state(batch: Any) -> BatchState:
    counts = batch.get("request_counts") or {}
    files = (batch.get("output_file_id"), batch.get("error_file_id"))
    errors = (batch.get("errors") or {}).get("data") or []
    error = "; ".join(f"{e.get('code')}: {e.get('message')}" for e in errors)
    return BatchState(
        id=str(batch["id"]),
        status=str(batch["status"]),
        done=(counts.get("completed") or 0) + (counts.get("failed") or 0),
        total=counts.get("total") or 0,
        files=tuple(file for file in files if file),
        error=shorten(error, MAX_ERROR),
    )
