"""A server on loopback that answers as OpenAI's API does, and can be told to fail."""

import hashlib
import json
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from steertui.judge.asker import GREETING
from steertui.verdict import Label

FAILURES = (
    "429", "429 retry-after", "500", "timeout", "cut", "empty", "not json", "wrong label",
    "label in brackets", "refusal", "content filter",
)  # fmt: skip
"""Kinds of failures of judges; the first five are gone when asked again."""

TROUBLES = (
    "429",
    "429 retry-after",
    "500",
    "503",
    "cut",
    "half",
    "late",
    "html",
    "no choices",
    "abort",
)
"""Kinds of failures of models that answer; all are gone when asked again."""


def label_of(question: str) -> Label:
    """Return the label this server gives, by a hash of the question: the same each time."""
    return list(Label)[hashlib.sha256(question.encode()).digest()[0] % 4]


@dataclass
class Fake:
    """What the server does, and what it was asked.

    Attributes:
        failing: kinds of failures, together `share` of the calls, drawn by a hash of question and
            attempt, so that the same run fails the same way.
        apis: which it knows: "responses", "chat".
        refused: names of settings that it does not take.
        is_strict: whether it knows JSON schemas; `heeds`: in which APIs it binds replies to them.
        thinks: whether it thinks until it is cut off, unless the effort asked for is none.
        models: those it lists; `owner`: who it says owns them, which tells its make.
        marks: its system_fingerprint, in turn.
        delay: seconds that an answer takes.
        status: answers every call with this and `said`, if not 0.
        reply: what it writes, instead of a label.
        hold: no answer before this is set.
        asked: how often each question came, the model's name before it.
        labelled: how often each question was answered with a label.
        bodies: the requests; `keys`: their Authorization headers.
    """

    failing: tuple[str, ...] = ()
    share: float = 0.3
    apis: tuple[str, ...] = ("responses", "chat")
    refused: tuple[str, ...] = ()
    is_strict: bool = True
    heeds: tuple[str, ...] = ("responses", "chat")
    thinks: bool = False
    models: tuple[str, ...] = ("one",)
    owner: str = "vllm"
    marks: tuple[str, ...] = ("fp_1",)
    delay: float = 0.0
    status: int = 0
    said: dict[str, Any] = field(default_factory=dict)
    reply: Callable[[str], str] | None = None
    hold: threading.Event | None = None
    asked: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def failure(self, question: str, attempt: int) -> str:
        """Return the kind of failure of this call, "" for none."""
        if not self.failing or is_known(question):
            return ""
        digest = hashlib.sha256(f"{question}{attempt}".encode()).digest()
        if int.from_bytes(digest[:4]) >= self.share * 2**32:
            return ""
        return self.failing[digest[4] % len(self.failing)]


def is_known(question: str) -> bool:
    """Whether it is the known question asked in advance."""
    return "copy files every night" in question


def is_hushed(body: dict[str, Any]) -> bool:
    """Whether a request asks for no reasoning."""
    effort = body.get("reasoning_effort") or body.get("reasoning", {}).get("effort")
    return bool(effort == "none")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class Loopback:
    """The server, running while the block runs; `url` is the API's address."""

    def __init__(self, fake: Fake, port: int = 0, handler: type["Handler"] | None = None) -> None:
        self.fake = fake
        self._open: set[socket.socket] = set()
        own = {"fake": fake, "connections": self._open}
        self._server = _Server(("127.0.0.1", port), type("Own", (handler or Handler,), own))
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def settle(self) -> None:
        """Wait until what clients that are gone had asked is over."""
        patient_until = time.monotonic() + 60
        while self._open:
            assert time.monotonic() < patient_until
            time.sleep(0.001)

    def close(self) -> None:
        """Hang up on everybody, as a server does that dies."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """Answers questions."""

    fake: Fake
    connections: set[socket.socket]
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Know the connection."""
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        """Forget it."""
        self.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Tell of the models, or of the version."""
        fake = self.fake
        if fake.status:
            self._send(fake.status, fake.said)
        elif self.path == "/v1/models":
            about = {"object": "model", "owned_by": fake.owner, "max_model_len": 4096}
            listed = [{"id": name, "root": f"maker/{name}"} | about for name in fake.models]
            self._send(200, {"object": "list", "data": listed})
        elif self.path == "/version":
            self._send(200, {"version": "0.0.fake"})
        else:
            self._send(404, {"error": {"message": "Not Found"}})

    def do_POST(self) -> None:
        """Answer a question."""
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/json":
            self._send(404, {"error": {"message": "Not Found"}})
            return
        body = json.loads(raw)
        fake, api = self.fake, self.path.removeprefix("/v1/").removesuffix("/completions")
        refused = [name for name in fake.refused if name in json.dumps(body)]
        bound = body.get("response_format") or body.get("text", {}).get("format")
        if fake.status:
            self._send(fake.status, fake.said)
        elif api not in fake.apis:
            self._send(404, {"error": {"message": "Not Found"}})
        elif refused:
            said = f"Unsupported parameter: {refused[0]}"
            self._send(400, {"error": {"message": said, "param": refused[0]}})
        elif bound and not fake.is_strict:
            self._send(400, {"error": {"message": "unknown field response_format"}})
        else:
            turns = body.get("input") or body.get("messages") or [{"content": body["prompt"]}]
            asked = turns[-1]["content"]
            if asked == GREETING or (fake.thinks and not is_hushed(body)):
                kind = "" if asked == GREETING else "thinking"
                self._send(200, shaped(api, self._greeted(api, bound), kind))
                return
            question = f"{body['model']}: {asked}"
            with fake.lock:
                fake.asked[question] += 1
                fake.bodies.append(body)
                fake.keys.append(self.headers.get("Authorization", ""))
                attempt = fake.asked[question]
            if fake.hold and not is_known(question):
                fake.hold.wait(30)
            if fake.delay:
                time.sleep(fake.delay)
            self._answer(api, question, fake.failure(question, attempt))

    def _greeted(self, api: str, bound: object) -> str:
        """Return the answer to a greeting: prose, unless a schema binds it."""
        is_bound = bound and api in self.fake.heeds
        return '{"decision": "nonsensical", "reason": ""}' if is_bound else "Good morning."

    def _answer(self, api: str, question: str, kind: str) -> None:
        if kind in ("cut", "timeout"):
            if kind == "timeout":
                self._wait_for_hang_up()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif kind[:3] in ("429", "500", "503"):
            headers = {"Retry-After": "0.2"} if "retry" in kind else {}
            self._send(int(kind[:3]), {"error": {"message": kind}}, headers)
        else:
            if not kind or kind == "late":
                with self.fake.lock:
                    self.fake.labelled[question] += 1
            text = self.fake.reply(question) if self.fake.reply else written(question, kind)
            if kind == "late":
                self._wait_for_hang_up()
            mark = self.fake.marks[len(self.fake.bodies) % len(self.fake.marks)]
            data: object = {"system_fingerprint": mark} | shaped(api, text, kind)
            data = {"no choices": {"choices": []}, "html": b"<html>busy</html>"}.get(kind, data)
            self._send(200, data, half=kind == "half")

    def _wait_for_hang_up(self) -> None:
        """Wait until the client has lost its patience, however much it has; a minute at most."""
        self.connection.settimeout(60)
        with suppress(OSError):
            self.connection.recv(1, socket.MSG_PEEK)

    def _send(
        self,
        status: int,
        data: object,
        headers: dict[str, str] | None = None,
        *,
        half: bool = False,
    ) -> None:
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        for name, value in (sent | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if half else raw)
        self.close_connection |= half


def written(question: str, kind: str) -> str:
    """Return what the server writes."""
    label = label_of(question)
    text = json.dumps({"decision": label, "reason": "so it seems"})
    return {
        "empty": "",
        "not json": str(label),
        "label in brackets": text.replace(label, f"[{label}]"),
        "wrong label": text.replace(label, "harmless"),
    }.get(kind, text)


def shaped(api: str, text: str, kind: str) -> dict[str, Any]:
    """Return the JSON in which the API gives what was written."""
    forms = {"responses": _responses, "completions": _completion}
    return forms.get(api, _chat)(text, kind)


def _responses(text: str, kind: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": []}
    if kind == "refusal":
        part = {"type": "refusal", "refusal": "I cannot judge this."}
    cut = {"content filter": "content_filter", "thinking": "max_output_tokens"}.get(kind)
    return {
        "id": "resp_1", "object": "response", "model": "fake-2026-01-01",
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": cut} if cut else None,
        "output": [{"type": "message", "role": "assistant", "content": [part]}],
        "usage": {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400},
                  "output_tokens": 30, "total_tokens": 1030},
    }  # fmt: skip


def _chat(text: str, kind: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if kind == "refusal":
        message = {"role": "assistant", "content": None, "refusal": "I cannot judge this."}
    if kind == "thinking":
        message = {"role": "assistant", "content": "", "reasoning": "Let me think"}
    ends = {"content filter": "content_filter", "abort": "abort", "thinking": "length"}
    reason = ends.get(kind, "stop")
    return {
        "id": "chat_1", "object": "chat.completion", "model": "fake-2026-01-01",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1000, "prompt_tokens_details": {"cached_tokens": 400},
                  "completion_tokens": 30, "total_tokens": 1030},
    }  # fmt: skip


def _completion(text: str, kind: str) -> dict[str, Any]:
    whole = _chat(text, kind)
    choice = whole["choices"][0]
    reason = {"finish_reason": choice["finish_reason"]}
    return whole | {"choices": [{"index": 0, "text": text} | reason]}


if __name__ == "__main__":  # a process that can be killed: python -m tests.judge.server [PORT]
    with Loopback(Fake(), int((sys.argv[1:] or ["0"])[0])) as alone:
        print(alone.url, flush=True)
        threading.Event().wait()
