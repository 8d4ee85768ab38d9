"""Transfer of one file over HTTP (httpx2): retried, resumed by ranges, verified by sha256.

A partial file is named by the sha256 of the whole file, so it is always a prefix of that file,
whichever process wrote it.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from steertui.assets.fetch.deadline import DeadlineExceeded, get
from steertui.assets.fetch.download import (
    BytesReceived,
    Download,
    RetryWait,
    TransferEvent,
    require_disk_space,
)
from steertui.assets.fetch.partial_file import PartialFile
from steertui.assets.hash_cache import store_digest
from steertui.errors import FetchError, GatedRepositoryError, OtherFileError
from steertui.untrusted import count, one_line, seconds

TICK = 0.2
LONGEST_PAUSE = 900.0
GONE_STATUS = (404, 410, 416)
"""The file is not there, or it is shorter than listed."""

RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Retry limits of a transfer.

    Attributes:
        tries: consecutive attempts without a byte [default: 6].
        pause: seconds before the second attempt, doubled before each further one [default: 1].
        silence: seconds without a byte after which a connection is closed [default: 20].
        headers: seconds for the headers of a response, redirects included [default: 60].
        listing: seconds for a complete listing of the hub [default: 60].
    """

    tries: int = 6
    pause: float = 1.0
    silence: float = 20.0
    headers: float = 60.0
    listing: float = 60.0


class _RetryError(Exception):
    """A failed attempt that is worth repeating."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@contextmanager
def open_client() -> Iterator[httpx2.Client]:
    """Return a client for public files, with the environment's proxies and certificates."""
    with httpx2.Client(follow_redirects=True) as client:
        yield client


def transfer(
    download: Download, client: httpx2.Client, limits: TransferLimits
) -> Generator[TransferEvent, None, None]:
    """Download a file to its target; yield progress events.

    Closing the generator stops the transfer and keeps the received bytes. Other processes that
    want the same file wait for the lock. Only the complete, verified file is moved to the target.
    Raises FetchError if the download fails.
    """
    require_disk_space([download])
    try:
        for folder in (download.target.parent, download.lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        lock = yield from _lock(download)
    except OSError as exc:
        raise FetchError(
            f"{download.name}: {download.target.parent} cannot be written ({exc.strerror}); check "
            "its permissions, or set HF_HOME to another folder"
        ) from None
    try:
        if not download.target.exists():
            with PartialFile(download.name, download.partial, download.size) as part:
                yield from _fill(download, client, limits, part)
            download.partial.replace(download.target)
            store_digest(download.target, download.sha256)
    finally:
        lock.release()


def _lock(download: Download) -> Generator[TransferEvent, None, BaseFileLock]:
    lock: BaseFileLock = FileLock(download.lock, mode=0o664)
    while True:
        try:
            lock.acquire(timeout=TICK)
            return lock
        except Timeout:
            yield RetryWait(download.name, "another process is downloading it", TICK)
        except NotImplementedError:  # the file system has no flock
            lock = SoftFileLock(download.lock)


def _fill(
    download: Download, client: httpx2.Client, limits: TransferLimits, part: PartialFile
) -> Generator[TransferEvent, None, None]:
    for done in part.hash_existing():
        yield BytesReceived(download.name, done, download.size)
    is_resumed = part.length > 0
    while True:
        yield from _complete(download, client, limits, part)
        if part.digest == download.sha256:
            part.flush_to_disk()
            return
        digest = part.digest
        part.restart()
        if not is_resumed:
            part.discard()
            raise OtherFileError(
                f"{download.name}: the received bytes are not the expected ones (sha256 "
                f"{digest[:12]}… instead of {download.sha256[:12]}…) and were discarded; try "
                "again, and check the mirror or proxy if it happens again"
            )
        is_resumed = False  # the partial file may be corrupt: download the whole file once


def _complete(
    download: Download, client: httpx2.Client, limits: TransferLimits, part: PartialFile
) -> Generator[TransferEvent, None, None]:
    failures = 0
    while part.length < download.size:
        before = part.length
        pause = None
        try:
            for done in _attempt(download, client, limits, part):
                yield BytesReceived(download.name, done, download.size)
            continue
        except _RetryError as exc:
            reason = str(exc)
            pause = exc.pause
        except httpx2.RequestError as exc:
            reason = _reason(exc)
        failures = 1 if part.length > before else failures + 1
        if failures >= limits.tries or (pause or 0) > LONGEST_PAUSE:
            later = f" and requests a pause of {pause:.0f} seconds" if pause else ""
            raise FetchError(
                f"{download.name}: {reason}{later}, {failures} times in a row; the received bytes "
                "are kept, try again to resume"
            )
        if pause is None:
            pause = 0.0 if part.length > before else limits.pause * 2 ** (failures - 1)
        yield from wait_for_retry(download.name, reason, pause)


def wait_for_retry(name: str, reason: str, seconds: float) -> Iterator[RetryWait]:
    """Wait; yield events often enough that the caller can stop in between."""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0:
        yield RetryWait(name, reason, remaining)
        time.sleep(min(TICK, remaining))


def _attempt(
    download: Download, client: httpx2.Client, limits: TransferLimits, part: PartialFile
) -> Iterator[int]:
    headers = dict(download.headers) | {"Accept-Encoding": "identity"}
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
    try:
        with get(
            client,
            download.url,
            headers,
            silence=limits.silence,
            deadline=limits.headers,
            covers_body=False,
        ) as response:
            yield from _receive(download, response, part)
    except DeadlineExceeded:
        raise _RetryError(
            f"the server did not complete its headers in {limits.headers:g} seconds"
        ) from None


def _receive(download: Download, response: httpx2.Response, part: PartialFile) -> Iterator[int]:
    _check_status(download, response)
    if response.status_code != 206:
        part.restart()  # the server ignores ranges
    _check_length(download, response, part.length)
    for chunk in response.iter_raw():
        if part.length + len(chunk) > download.size:
            part.restart()
            raise OtherFileError(f"{download.name}: more bytes than expected; try again")
        part.write(chunk)
        yield part.length
    if part.length < download.size:
        raise _RetryError("the connection ended early")


def _check_status(download: Download, response: httpx2.Response) -> None:
    code = response.status_code
    if code in RETRIED_STATUS:
        raise _RetryError(
            f"the server answers {code} {one_line(response.reason_phrase)}",
            seconds(response.headers.get("Retry-After")),
        )
    if download.access and response.headers.get("X-Error-Code") == "GatedRepo":
        raise GatedRepositoryError(
            f"{download.name}: a gated file, and your token has no access; {download.access}"
        )
    if code not in (200, 206):
        host = response.url.host
        hints = {401: "a token may be needed", 403: "access denied", 404: "not found"}
        hint = hints.get(code, one_line(response.reason_phrase))
        raise (OtherFileError if code in GONE_STATUS else FetchError)(
            f"{download.name}: {host} answers {code} ({hint}); "
            "check the name; for private files set HF_TOKEN"
        )


def _check_length(download: Download, response: httpx2.Response, start: int) -> None:
    """Raise an error if the response's headers do not match the file."""
    stated = response.headers.get("Content-Range", "")
    if response.status_code == 206:
        whole = stated.rpartition("/")[2]
        if not stated.startswith(f"bytes {start}-"):
            raise _RetryError("the server sends another range than requested")
    else:
        whole = response.headers.get("Content-Length", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _RetryError("the server compresses the file")
    length = count(whole)
    if whole.isascii() and whole.isdigit() and length != download.size:
        raise OtherFileError(
            f"{download.name}: {response.url.host} has a file of {length:,} bytes where "
            f"{download.size:,} are expected; check the mirror or proxy, or try again later"
        )


def _reason(exc: httpx2.RequestError) -> str:
    if isinstance(exc, httpx2.TooManyRedirects):
        return "the server redirects without an end"
    if isinstance(exc, httpx2.TimeoutException):
        return "no byte arrived for too long"
    if isinstance(exc, httpx2.ConnectError):
        return "the server cannot be reached"
    return "the connection broke"
