"""Sandbox: a child process with limits that processes third-party data.

Replies are JSON and never unpickled, so that a child that runs third-party code cannot execute code
in this process.
"""

import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from typing import Any, Self, TypeVar

from steertui.printable import printable_line
from steertui.sandbox.launch import launch

CHUNK = 256
CHUNK_CHARACTERS = 4_000_000
"""Maximum items per request, and the number of characters after which a request ends."""

MAX_SENTENCE = 2_000
"""Characters of a sentence of the child that are kept."""

REPLY_BYTES = 2**24
"""Maximum size of one reply in bytes."""

PATIENCE = 60.0
SLOWNESS = 10
"""Timeout of a reply: `PATIENCE` seconds plus `SLOWNESS` times its CPU time limit.

It is long because a busy machine delays the child.
"""

SETTINGS = {
    "CUDA_VISIBLE_DEVICES": "",
    "HIP_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Environment variables of a child, which uses no accelerator and needs one thread."""

TOO_LONG = "too much CPU time"
TOO_LARGE = "a reply of more than 16 MiB"
UNREADABLE = "an unreadable reply"


T = TypeVar("T")


class Refused(Exception):
    """The child reported an error on an item; `sentence` is its message."""

    def __init__(self, index: int, sentence: str) -> None:
        super().__init__(sentence)
        self.index = index
        self.sentence = sentence


class Stopped(Exception):
    """The child ended at an item, by itself or by a limit.

    Attributes:
        index: index of the item.
        cause: the signal, such as "signal 6", the exit code, the limit that it exceeded, or the
            Python exception that ended it.
    """

    def __init__(self, index: int, cause: str) -> None:
        super().__init__(cause)
        self.index = index
        self.cause = cause


class Sandbox:
    """A child process that runs `entry` ("module:function") under limits; a context manager."""

    def __init__(self, entry: str) -> None:
        self._pipe, theirs = Pipe()
        self._child = launch(entry, theirs, settings=SETTINGS, reports_failure=True)
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return not self._pipe.closed

    def ask(
        self,
        name: str,
        kind: type[T],
        shared: Sequence[object],
        items: Sequence[Sequence[object]],
        seconds: float,
    ) -> list[T]:
        """Return the child's answer, of type `kind`, for each item.

        The `shared` arguments precede those of each item; `seconds` is the CPU time limit per item.
        Raises Refused if the child reports an error. Raises Stopped if the child ends or exceeds a
        limit; the sandbox is then closed.
        """
        found: list[T] = []
        try:
            for chunk in _chunks(items):
                question = {"ask": name, "shared": shared, "items": chunk, "seconds": seconds}
                self._send(json.dumps(question).encode())
                for _ in chunk:
                    value = self._receive(len(found), seconds)
                    if not isinstance(value, kind):
                        raise Stopped(len(found), UNREADABLE)
                    found.append(value)
        except Refused:
            raise  # the child waits for the next request
        except BaseException:
            self.close()
            raise
        return found

    def _send(self, question: bytes) -> None:
        try:
            self._pipe.send_bytes(question)
        except OSError:
            return  # the child has ended; `_receive` finds out

    def _receive(self, index: int, seconds: float) -> Any:
        try:
            if not self._pipe.poll(PATIENCE + SLOWNESS * seconds):
                raise Stopped(index, TOO_LONG)
            reply = json.loads(self._pipe.recv_bytes(REPLY_BYTES))
        except EOFError:
            raise Stopped(index, self._cause()) from None
        except OSError:
            raise Stopped(index, self._cause(TOO_LARGE)) from None
        except (ValueError, RecursionError):
            raise Stopped(index, UNREADABLE) from None
        match reply:
            case {"value": value}:
                return value
            case {"error": str(sentence)}:
                raise Refused(index, printable_line(sentence[:MAX_SENTENCE]))
            case {"stopped": str(cause)}:
                raise Stopped(index, printable_line(cause[:MAX_SENTENCE]))
        raise Stopped(index, UNREADABLE)

    def _cause(self, otherwise: str = "") -> str:
        """Return why the child ended; `otherwise` if it still runs."""
        try:
            code = self._child.wait(0.2 if otherwise else 5)
        except subprocess.TimeoutExpired:
            return otherwise or UNREADABLE
        if code == -signal.SIGXCPU:
            return TOO_LONG
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def close(self) -> None:
        """End the child."""
        if self.is_open:
            self._pipe.close()
            self._child.kill()
            self._child.wait()


def _chunks(items: Sequence[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    """Yield the items of each request."""
    chunk: list[Sequence[object]] = []
    characters = 0
    for item in items:
        chunk.append(item)
        characters += sum(len(part) for part in item if isinstance(part, str))
        if len(chunk) == CHUNK or characters > CHUNK_CHARACTERS:
            yield chunk
            chunk = []
            characters = 0
    if chunk:
        yield chunk
