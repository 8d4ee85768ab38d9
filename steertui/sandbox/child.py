"""Child side of a sandbox: serves a fixed set of functions, in JSON over a pipe."""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any

from steertui.errors import SteertuiError
from steertui.sandbox.limits import CpuTime, forbid_core_dumps, limit_memory

MEMORY = 2**30
"""Maximum bytes that a child may allocate."""

OUT_OF_MEMORY = "more than 1 GiB of memory"

MAX_REASON = 500
"""Characters of an exception that are reported."""

Answer = Callable[..., Any]


def run(module: str, function: str, descriptor: int) -> None:
    """Call a function with the pipe; send an exception of it or of its import to the parent.

    The parent has no other way to learn of it, since the output of a child is discarded.
    """
    try:
        getattr(import_module(module), function)(descriptor)
    except Exception as exc:
        reason = f"{type(exc).__name__}: {exc}"[:MAX_REASON]
        with suppress(OSError):  # the parent closed the pipe
            Connection(descriptor).send_bytes(json.dumps({"stopped": reason}).encode())
        sys.exit(1)


def serve(descriptor: int, answers: Mapping[str, Answer]) -> None:
    """Answer requests from the pipe until the parent closes it.

    A request names a function, the arguments that all items share, and the items. Each item gets
    its own reply as soon as it is computed; the first failure ends the request.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    forbid_core_dumps()
    limit_memory(MEMORY)
    pipe, cpu = Connection(descriptor), CpuTime()
    try:
        while True:
            question = json.loads(pipe.recv_bytes())
            answer = answers[question["ask"]]
            for item in question["items"]:
                cpu.allow(question["seconds"])
                is_done, reply = _reply(answer, [*question["shared"], *item])
                pipe.send_bytes(reply)
                if not is_done:
                    break
    except (EOFError, OSError):
        return  # the parent closed the pipe or ended


def _reply(answer: Answer, arguments: list[Any]) -> tuple[bool, bytes]:
    """Return whether the call succeeded, and the reply."""
    try:
        return True, json.dumps({"value": answer(*arguments)}).encode()
    except SteertuiError as exc:
        return False, json.dumps({"error": str(exc)}).encode()
    except MemoryError:
        return False, json.dumps({"stopped": OUT_OF_MEMORY}).encode()
