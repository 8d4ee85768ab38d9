"""Child side of a sandbox: serves a fixed set of functions, in JSON over a pipe."""

import json
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from steertui.errors import SteertuiError
from steertui.sandbox.limits import CpuTime, forbid_core_dumps, limit_memory

MEMORY = 2**30
"""Maximum bytes that a child may allocate."""

OUT_OF_MEMORY = "more than 1 GiB of memory"

Answer = Callable[..., Any]


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
