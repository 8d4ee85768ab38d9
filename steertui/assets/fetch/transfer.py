"""A Transfer: one file over HTTP, resumed wherever it broke off and checked by sha256.

The only door to httpx2. The partial file is named by the sha256 of the whole one, so what is there
is always a beginning of it, whoever began it and however that ended.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from steertui.assets.fetch.download import (
    BytesReceived,
    Download,
    RetryWait,
    TransferEvent,
    require_disk_space,
)
from steertui.assets.fetch.partial_file import PartialFile
from steertui.assets.hash_cache import store_digest
from steertui.errors import FetchError

TICK = 0.2
LONGEST_PAUSE = 900.0
RETRIED_STATUS = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """How long a bad line is borne with.

    Attributes:
        tries: attempts in a row that bring no byte.
        pause: seconds before the second of them; doubled before each further one.
        silence: seconds without a byte after which a connection counts as dead.
    """

    tries: int = 6
    pause: float = 1.0
    silence: float = 20.0


class _RetryError(Exception):
    """This attempt failed and another may not."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@contextmanager
def open_client() -> Iterator[httpx2.Client]:
    """Give a client for public files; proxies and certificates as the environment has them."""
    with httpx2.Client(follow_redirects=True) as client:
        yield client


def transfer(
    remote: Download, client: httpx2.Client, patience: TransferLimits
) -> Generator[TransferEvent, None, None]:
    """Bring the file to its target; close the generator to stop, and what came stays.

    Who else wants the file waits, and finds it there. Raises FetchError, in one sentence, where
    it cannot be had; nothing that is not the file is ever at its target.
    """
    require_disk_space([remote])
    try:
        for folder in (remote.target.parent, remote.lock.parent):
            folder.mkdir(parents=True, exist_ok=True)
        lock = yield from _lock(remote)
    except OSError as exc:
        raise FetchError(
            f"{remote.name}: {remote.target.parent} cannot be written ({exc.strerror}); check its "
            "permissions, or choose another place with HF_HOME"
        ) from None
    try:
        if not remote.target.exists():
            with PartialFile(remote.name, remote.partial, remote.size) as part:
                yield from _fill(remote, client, patience, part)
            remote.partial.replace(remote.target)
            store_digest(remote.target, remote.sha256)
    finally:
        lock.release()


def _lock(remote: Download) -> Generator[TransferEvent, None, BaseFileLock]:
    lock: BaseFileLock = FileLock(remote.lock, mode=0o664)
    while True:
        try:
            lock.acquire(timeout=TICK)
            return lock
        except Timeout:
            yield RetryWait(remote.name, "another program is fetching it", TICK)
        except NotImplementedError:  # a file system without flock
            lock = SoftFileLock(remote.lock)


def _fill(
    remote: Download, client: httpx2.Client, patience: TransferLimits, part: PartialFile
) -> Generator[TransferEvent, None, None]:
    for done in part.recall():
        yield BytesReceived(remote.name, done, remote.size)
    is_resumed = part.length > 0
    while True:
        yield from _complete(remote, client, patience, part)
        if part.digest == remote.sha256:
            part.settle()
            return
        found = part.digest
        part.restart()
        if not is_resumed:
            part.discard()
            raise FetchError(
                f"{remote.name}: the bytes that came are not those promised (sha256 {found[:12]}… "
                f"instead of {remote.sha256[:12]}…), and were thrown away; try again, and check "
                "the mirror or proxy if it happens again"
            )
        is_resumed = False  # the beginning may have been spoiled on this disk: once more, whole


def _complete(
    remote: Download, client: httpx2.Client, patience: TransferLimits, part: PartialFile
) -> Generator[TransferEvent, None, None]:
    failures = 0
    while part.length < remote.size:
        before, pause = part.length, None
        try:
            for done in _attempt(remote, client, patience, part):
                yield BytesReceived(remote.name, done, remote.size)
            continue
        except _RetryError as exc:
            reason, pause = str(exc), exc.pause
        except httpx2.TransportError as exc:
            reason = _words(exc)
        failures = 1 if part.length > before else failures + 1
        if failures >= patience.tries or (pause or 0) > LONGEST_PAUSE:
            later = f" and asks to wait {pause:.0f} seconds" if pause else ""
            raise FetchError(
                f"{remote.name}: {reason}{later}, {failures} times in a row; what came is kept, "
                "run the same again to go on"
            )
        if pause is None:
            pause = 0.0 if part.length > before else patience.pause * 2 ** (failures - 1)
        yield from wait_for_retry(remote.name, reason, pause)


def wait_for_retry(name: str, reason: str, seconds: float) -> Iterator[RetryWait]:
    """Wait, and say so often enough that a wish to stop is heard."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        yield RetryWait(name, reason, left)
        time.sleep(min(TICK, left))


def _attempt(
    remote: Download, client: httpx2.Client, patience: TransferLimits, part: PartialFile
) -> Iterator[int]:
    headers = dict(remote.headers) | {"Accept-Encoding": "identity"}
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
    limit = httpx2.Timeout(patience.silence)
    with client.stream("GET", remote.url, headers=headers, timeout=limit) as response:
        _refuse(remote, response)
        if response.status_code != 206:
            part.restart()  # the server knows no ranges
        _check_length(remote, response, part.length)
        for chunk in response.iter_raw():
            if part.length + len(chunk) > remote.size:
                part.restart()
                raise FetchError(f"{remote.name}: more bytes came than promised; try again")
            part.write(chunk)
            yield part.length
    if part.length < remote.size:
        raise _RetryError("the connection ended early")


def _refuse(remote: Download, response: httpx2.Response) -> None:
    code = response.status_code
    if code in RETRIED_STATUS:
        after = response.headers.get("Retry-After", "")
        raise _RetryError(
            f"the server answers {code} {response.reason_phrase}",
            float(after) if after.isdigit() else None,
        )
    if code not in (200, 206):
        host = response.url.host
        hint = {401: "a token may be needed", 403: "access is refused", 404: "it is not there"}
        raise FetchError(
            f"{remote.name}: {host} answers {code} ({hint.get(code, response.reason_phrase)}); "
            "check the name, and for what is not public set HF_TOKEN"
        )


def _check_length(remote: Download, response: httpx2.Response, start: int) -> None:
    """Raise where what is about to come cannot be the file."""
    stated = response.headers.get("Content-Range", "")
    if response.status_code == 206:
        whole = stated.rpartition("/")[2]
        if not stated.startswith(f"bytes {start}-"):
            raise _RetryError("the server sends another part than asked for")
    else:
        whole = response.headers.get("Content-Length", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _RetryError("the server sends it compressed")
    if whole.isdigit() and int(whole) != remote.size:
        raise FetchError(
            f"{remote.name}: {response.url.host} has a file of {int(whole):,} bytes where "
            f"{remote.size:,} are promised; a mirror or proxy may stand between, try again later"
        )


def _words(exc: httpx2.TransportError) -> str:
    if isinstance(exc, httpx2.TimeoutException):
        return "nothing came for too long"
    if isinstance(exc, httpx2.ConnectError):
        return "the server cannot be reached"
    return "the connection broke"
