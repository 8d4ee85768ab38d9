"""Batch API client: requests in one file, replies in another within a day, at half the price."""

import io
import json
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote

from steertui.errors import JudgeError
from steertui.judge.client import UNSUPPORTED, JudgeClient
from steertui.judge.request_format import MAX_ERROR, RawReply, RequestFormat
from steertui.server.error_body import read_error
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.protocol import Body
from steertui.server.reply import MAX_NAME, InvalidReply
from steertui.untrusted import (
    InvalidJsonError,
    count,
    one_line,
    parse_json,
    table_of,
    tables_of,
    text_of,
)

FINAL_STATUSES = frozenset({"completed", "failed", "expired", "cancelled"})
"""Statuses of batches that will bring no more replies."""

METADATA_KEY = "steertui"
"""Key of the mark in a batch's metadata, by which the batch is found again."""

PAGE_SIZE = 100
"""Batches per page of the server's list."""

MAX_PAGES = 1000
"""Pages of the server's list that are read."""

MAX_CODE = 80
"""Characters of an error's code that are quoted."""

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
        if not file:
            raise self._unusable("accept a file")
        body = {
            "input_file_id": file,
            "endpoint": f"/v1{self.request_format.path}",
            "completion_window": "24h",
            "metadata": {METADATA_KEY: mark},
        }
        batch = await self._checked("create a batch", self._client.post("/batches", body))
        return self._started(batch, "create a batch")

    async def find(self, mark: str, since: float) -> BatchState | None:
        """Return the batch with this mark, created after `since` in seconds since the epoch."""
        after = ""
        for _ in range(MAX_PAGES):
            path = f"/batches?limit={PAGE_SIZE}{after}"
            page = table_of(await self._checked("list its batches", self._client.get(path)))
            if not isinstance(page.get("data"), list):
                raise self._unusable("list its batches")
            batches = tables_of(page["data"])
            for batch in batches:
                if table_of(batch.get("metadata")).get(METADATA_KEY) == mark:
                    return self._started(batch, "list its batches")
                if count(batch.get("created_at")) < since:
                    return None
            if not page.get("has_more") or not batches:
                return None
            after = f"&after={quote(text_of(batches[-1].get('id')), safe='')}"
        return None

    async def poll(self, batch: str) -> BatchState | None:
        """Return a batch's state; None if the server cannot be reached now.

        Raises InvalidReply if a response arrives that has no state.
        """
        try:
            return parse_batch_state(await self._client.get(f"/batches/{quote(batch, safe='')}"))
        except RequestRejected as exc:
            if exc.status >= 500 or exc.status == 429:
                return None
            raise self._error("return the batch", exc) from None
        except ConnectionFailed as exc:
            if exc.was_sent and not exc.timed_out:
                raise InvalidReply(exc.cause, retryable=True) from None
            return None

    async def fetch(self, state: BatchState, request_format: RequestFormat) -> dict[str, RawReply]:
        """Return a batch's replies and failures by the keys of their requests."""
        replies: dict[str, RawReply] = {}
        for file in state.files:
            content = await self._checked("return a file", self._client.download(file))
            replies |= parse_batch_file(content, request_format)
        return replies

    async def _checked(self, action: str, call: Awaitable[T]) -> T:
        try:
            return await call
        except RequestRejected as exc:
            raise self._error(action, exc) from None
        except ConnectionFailed as exc:
            raise JudgeError(
                f"{self.judge.name}: the server did not {action} ({exc.cause}); batches already "
                "sent continue there, try again"
            ) from None

    def _started(self, batch: object, action: str) -> BatchState:
        try:
            return parse_batch_state(batch)
        except InvalidReply:
            raise self._unusable(action) from None

    def _unusable(self, action: str) -> JudgeError:
        return JudgeError(
            f"{self.judge.name}: the server did not {action} (its reply is not the JSON that the "
            "API defines); try again"
        )

    def _error(self, action: str, exc: RequestRejected) -> JudgeError:
        self._raise_if_fatal(exc, during_negotiation=True)
        if exc.status in UNSUPPORTED - {400, 422}:
            return JudgeError(
                f"{self.judge.name}: the server has no Batch API, or does not {action} "
                f"({exc.message}); leave --judge-batch out"
            )
        return JudgeError(f"{self.judge.name}: the server did not {action} ({exc}); try again")


def parse_batch_file(content: bytes, request_format: RequestFormat) -> dict[str, RawReply]:
    """Return the replies in a batch's output or error file, by the keys of their requests.

    Malformed lines are skipped; their requests count as unanswered.
    """
    replies = {}
    for line in io.BytesIO(content):  # ends at newlines only: a JSON string may contain U+2028
        try:
            data = table_of(parse_json(line))
        except InvalidJsonError:
            continue
        key = text_of(data.get("custom_id"))
        is_reply = isinstance(data.get("response"), dict)
        if key and (data.get("error") or is_reply):
            replies[key] = _reply(data, request_format)
    return replies


def _reply(data: Body, request_format: RequestFormat) -> RawReply:
    if data.get("error"):
        failure = f"the batch reports {_error_text(data['error'])}"
        return RawReply("", one_line(failure, MAX_ERROR))
    response = table_of(data.get("response"))
    body = response.get("body")
    status = response.get("status_code")
    if status != 200:
        error = read_error(body)
        message = error.message if error else ""
        return RawReply("", one_line(f"HTTP {status}: {message or body}", MAX_ERROR))
    request = one_line(text_of(data.get("id")), MAX_NAME)
    return replace(request_format.parse(body), request=request)


def _error_text(error: object) -> str:
    """Return code and message of an error, or what there is instead."""
    if not isinstance(error, dict):
        return one_line(str(error), MAX_ERROR)
    return f"{one_line(str(error.get('code')), MAX_CODE)}: {error.get('message')}"


def parse_batch_state(data: object) -> BatchState:
    """Return a batch's state; raises InvalidReply if the JSON has none."""
    batch = table_of(data)
    name = text_of(batch.get("id"))
    status = text_of(batch.get("status"))
    if not name or not status:
        raise InvalidReply("the reply is not the JSON that the API defines", retryable=True)
    counts = table_of(batch.get("request_counts"))
    files = (text_of(batch.get(key)) for key in ("output_file_id", "error_file_id"))
    errors = tables_of(table_of(batch.get("errors")).get("data"))
    error = "; ".join(_error_text(item) for item in errors)
    return BatchState(
        id=name,
        status=one_line(status, MAX_CODE),
        done=count(counts.get("completed")) + count(counts.get("failed")),
        total=count(counts.get("total")),
        files=tuple(file for file in files if file),
        error=one_line(error, MAX_ERROR),
    )
