"""A server on loopback that speaks the hub's HTTP interface as huggingface_hub uses it.

`/api/models/…` states files and commits, `/…/resolve/…` redirects to `/cdn/…`, which knows ranges;
`/raw/…` gives plain files as a code host does. Every fault that a line or a server may have can be
put in front of the next requests; every byte sent is counted.
"""

import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

MAIN = "c0ffee" + "0" * 34


@dataclass
class Blob:
    """A file's content: bytes in memory, or a file that is read as it is sent."""

    content: bytes | Path

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        for block in self.read(0, self.size):
            digest.update(block)
        self.sha256 = digest.hexdigest()

    @property
    def size(self) -> int:
        c = self.content
        return len(c) if isinstance(c, bytes) else c.stat().st_size

    def read(self, start: int, end: int) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            for at in range(start, end, 1 << 16):
                yield self.content[at : min(at + (1 << 16), end)]
            return
        with self.content.open("rb") as file:
            file.seek(start)
            while start < end:
                block = file.read(min(1 << 16, end - start))
                start += len(block)
                yield block


@dataclass
class Fault:
    """What happens to one request for a file's bytes instead of what should.

    Attributes:
        status: this answer, with `headers`, and no file.
        cut: the line breaks after so many bytes of this answer.
        stall: seconds of silence at the cut, instead of the break.
        change: what is sent for a block, for wrong bytes.
        length: the file that is sent has this length.
        no_range: the range that is asked for is not heard.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = -1
    stall: float = 0.0
    change: Callable[[bytes], bytes] | None = None
    length: int = -1
    no_range: bool = False


class HubServer:
    """The server's state; `with serving() as hub` runs it."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, Blob]] = {}
        self.raw: dict[str, Blob] = {}
        self.commits: dict[str, str] = {}
        self.faults: deque[Fault] = deque()
        self.api_faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.token = ""
        self.sent = 0
        self.requests: list[tuple[str, str]] = []
        self.cdn_authorized = False
        self.pace = 0.0
        self.address = ""

    def add(self, repo: str, path: str, content: bytes | Path, commit: str = MAIN) -> Blob:
        blob = Blob(content)
        self.repos.setdefault(repo, {})[path] = blob
        self.commits[repo] = commit
        return blob

    def gets(self, prefix: str = "/cdn") -> int:
        """How many requests asked for bytes of files."""
        return sum(m == "GET" and p.startswith(prefix) for m, p in self.requests)

    def environment(self, home: Path) -> dict[str, str]:
        """What a process needs in its environment to use this server, and folders of its own."""
        return {
            "HF_ENDPOINT": self.address,
            "STEERTUI_SOURCES": f"{self.address}/raw",
            "HF_HOME": str(home / "hf"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }


@contextmanager
def serving() -> Iterator[HubServer]:
    hub = HubServer()

    class Bound(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.state.requests.append((self.command, path))
        parts = path.strip("/").split("/")
        if parts[0] == "cdn":
            self._bytes(parts[1])
        elif parts[0] == "raw":
            self._raw("/".join(parts[1:]))
        elif parts[:2] == ["api", "models"]:
            self._api("/".join(parts[2:4]), parts[4:])
        elif len(parts) > 4 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._refuse(404)

    def _refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"Content-Length": "0"} | (headers or {}))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _is_allowed(self, repo: str) -> bool:
        token = self.state.token
        if repo in self.state.repos and (
            not token or self.headers.get("Authorization") == f"Bearer {token}"
        ):
            return True
        self._refuse(401, {"X-Error-Code": "RepoNotFound"})  # as the hub does for both
        return False

    def _api(self, repo: str, rest: list[str]) -> None:
        if self.state.api_faults:
            fault = self.state.api_faults.popleft()
            self._refuse(fault.status, fault.headers)
            return
        if not self._is_allowed(repo):
            return
        commit = self.state.commits[repo]
        if rest[:1] == ["revision"] and rest[1] not in ("main", commit):
            self._refuse(404, {"X-Error-Code": "RevisionNotFound"})
            return
        files = self.state.repos[repo].items()
        lfs = {p: {"oid": b.sha256, "sha256": b.sha256, "size": b.size} for p, b in files}
        if rest[:1] == ["tree"]:
            found: object = [
                {"type": "file", "path": p, "size": b.size, "oid": "0" * 40,
                 "lfs": lfs[p] | {"pointerSize": 134}}
                for p, b in files
            ]  # fmt: skip
        else:
            siblings = [
                {"rfilename": p, "size": b.size, "blobId": "0" * 40,
                 "lfs": {"sha256": b.sha256, "size": b.size, "pointerSize": 134}}
                for p, b in files
            ]  # fmt: skip
            found = {"id": repo, "modelId": repo, "sha": commit, "siblings": siblings}
        body = json.dumps(found).encode()
        head = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self._head(200, head)
        if self.command == "GET":
            self.wfile.write(body)

    def _resolve(self, repo: str, revision: str, path: str) -> None:
        if not self._is_allowed(repo):
            return
        commit = self.state.commits[repo]
        if revision not in ("main", commit):
            self._refuse(404, {"X-Error-Code": "RevisionNotFound"})
        elif path not in self.state.repos[repo]:
            self._refuse(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        else:
            blob = self.state.repos[repo][path]
            self._head(302, {
                "Location": self._cdn(blob.sha256), "X-Repo-Commit": commit,
                "X-Linked-Size": str(blob.size), "X-Linked-Etag": f'"{blob.sha256}"',
                "ETag": f'"{blob.sha256}"', "Content-Length": "0", "Accept-Ranges": "bytes",
            })  # fmt: skip

    def _cdn(self, digest: str) -> str:
        # Another host, as in the real world: what authorises must not follow there.
        return f"{self.state.address.replace('127.0.0.1', 'localhost')}/cdn/{digest}?Signature=x"

    def _raw(self, path: str) -> None:
        blob = self.state.raw.get(path)
        if blob is None:
            self._refuse(404)
        else:
            self._send(blob)

    def _bytes(self, digest: str) -> None:
        self.state.cdn_authorized |= "Authorization" in self.headers
        blobs = [b for files in self.state.repos.values() for b in files.values()]
        self._send(next(b for b in blobs if b.sha256 == digest))

    def _send(self, blob: Blob) -> None:
        state = self.state
        fault = state.always or (state.faults.popleft() if state.faults else Fault())
        if fault.status:
            self._refuse(fault.status, fault.headers)
            return
        size = fault.length if fault.length >= 0 else blob.size
        asked = None if fault.no_range else self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if start >= size:
            self._refuse(416, {"Content-Range": f"bytes */{size}"})
            return
        headers = {"Content-Length": str(size - start), "ETag": f'"{blob.sha256}"'}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self._head(206 if asked else 200, headers)
        if self.command == "GET":
            self._stream(blob, start, size, fault)

    def _stream(self, blob: Blob, start: int, size: int, fault: Fault) -> None:
        sent = 0
        for whole in blob.read(start, min(size, blob.size)):
            block = fault.change(whole) if fault.change else whole
            if 0 <= fault.cut < sent + len(block):
                self._write(block[: fault.cut - sent])
                time.sleep(fault.stall)
                self.close_connection = True
                return
            self._write(block)
            sent += len(block)
            if self.state.pace:
                time.sleep(len(block) / self.state.pace)

    def _write(self, block: bytes) -> None:
        try:
            self.wfile.write(block)
            self.state.sent += len(block)
        except OSError:
            self.close_connection = True


def make_gguf(path: Path, size: int, seed: int = 0) -> Path:
    """Write a file of so many bytes that begins as a GGUF and cannot be compressed."""
    import random

    source = random.Random(seed)
    with path.open("wb") as file:
        file.write(b"GGUF")
        while (left := size - file.tell()) > 0:
            file.write(source.randbytes(min(1 << 20, left)))
    return path
