"""The server on loopback with a Batch API, which can be told to break off."""

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.judge.server import Fake, Handler, Loopback, shaped, written


@dataclass
class BatchFake(Fake):
    """What the server does with batches, too.

    Attributes:
        looks: how often a batch is looked at before it is over.
        end: its status then; "expired" answers the first half of the questions only, "failed"
            none.
        hanging: before the reply to "start a batch" it waits for this, the batch being started.
        files: what was uploaded or is to be fetched; `batches`: those started, oldest first.
        sent: how many questions each batch held.
    """

    looks: int = 2
    end: str = "completed"
    hanging: threading.Event | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)


class BatchHandler(Handler):
    """Files and batches, and everything else as before."""

    fake: BatchFake

    def do_POST(self) -> None:
        """Take a file, start a batch, or answer a question at once."""
        if self.path == "/v1/files":
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            name = f"file-{len(self.fake.files)}"
            self.fake.files[name] = _file_in(raw)
            held = {"id": name, "object": "file", "bytes": len(raw), "created_at": 0}
            self._send(200, held | {"filename": "x", "purpose": "batch", "status": "processed"})
        elif self.path == "/v1/batches":
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            batch = self._start(asked)
            if self.fake.hanging:
                self.fake.hanging.wait(30)
            self._send(200, batch)
        else:
            super().do_POST()

    def do_GET(self) -> None:
        """Show a batch, list them, or give a file."""
        parts = self.path.partition("?")[0].removeprefix("/v1/").split("/")
        if parts == ["batches"]:
            found = list(self.fake.batches.values())[::-1]
            self._send(200, {"object": "list", "data": found, "has_more": False})
        elif parts[0] == "batches":
            self._send(200, self._looked(self.fake.batches[parts[1]]))
        else:
            raw = self.fake.files[parts[1]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        fake = self.fake
        lines = fake.files[asked["input_file_id"]].splitlines()
        with fake.lock:
            fake.sent.append(len(lines))
            batch = {
                "id": f"batch_{len(fake.batches)}", "object": "batch", "status": "validating",
                "created_at": int(time.time()), "looks": 0,
                "request_counts": {"total": len(lines), "completed": 0, "failed": 0}, **asked,
            }  # fmt: skip
            fake.batches[batch["id"]] = batch
        return batch

    def _looked(self, batch: dict[str, Any]) -> dict[str, Any]:
        with self.fake.lock:
            batch["looks"] += 1
            if batch["status"] in ("validating", "in_progress"):
                batch["status"] = "in_progress"
                if batch["looks"] > self.fake.looks:
                    self._finish(batch)
        return batch

    def _finish(self, batch: dict[str, Any]) -> None:
        fake = self.fake
        batch["status"] = fake.end
        if fake.end == "failed":
            said = {"code": "token_limit_exceeded", "message": "too much is enqueued", "line": None}
            batch["errors"] = {"object": "list", "data": [said]}
            return
        output: list[str] = []
        errors: list[str] = []
        lines = [json.loads(line) for line in fake.files[batch["input_file_id"]].splitlines()]
        for place, line in enumerate(lines):
            late = fake.end == "expired" and place >= len(lines) // 2
            told = self._line(line, place, late=late)
            is_good = told["error"] is None and told["response"]["status_code"] == 200
            (output if is_good else errors).append(json.dumps(told))
        for kind, found in (("output", output), ("error", errors)):
            if found:
                name = f"file-{len(fake.files)}"
                fake.files[name] = "\n".join(found[::-1]).encode() + b"\n"
                batch[f"{kind}_file_id"] = name

    def _line(self, line: dict[str, Any], place: int, *, late: bool) -> dict[str, Any]:
        body, api = line["body"], line["url"].removeprefix("/v1/").removesuffix("/completions")
        question = f"{body['model']}: {(body.get('input') or body['messages'])[-1]['content']}"
        told = {"id": f"batch_req_{place}", "custom_id": line["custom_id"], "response": None,
                "error": None}  # fmt: skip
        if late:
            said = "This request could not be executed in time."
            return told | {"error": {"code": "batch_expired", "message": said}}
        self.fake.asked[question] += 1
        kind = self.fake.failure(question, self.fake.asked[question])
        if kind[:3] in ("429", "500", "cut", "tim"):
            body = {"error": {"message": kind}}
            return told | {"response": {"status_code": 500, "request_id": "r", "body": body}}
        if not kind:
            self.fake.labelled[question] += 1
        reply = shaped(api, written(question, kind), kind)
        return told | {"response": {"status_code": 200, "request_id": "r", "body": reply}}


class BatchLoopback(Loopback):
    """The server with a Batch API."""

    fake: BatchFake

    def __init__(self, fake: BatchFake) -> None:
        super().__init__(fake, handler=BatchHandler)


def _file_in(raw: bytes) -> bytes:
    """Return the file that a form holds."""
    boundary = raw.split(b"\r\n", 1)[0]
    part = next(p for p in raw.split(boundary) if b'name="file"' in p)
    return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
