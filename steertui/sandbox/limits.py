"""Limits that a child process sets for itself, where the operating system has them."""

import sys
import time
from contextlib import suppress
from math import ceil

if sys.platform != "win32":
    import resource

AT_ONCE = 30
EACH = 0.1
"""Seconds of CPU time: a child may use 30, and 0.1 more for every answer it gives."""


def forbid_core_dumps() -> None:
    """Write no core dump at a crash: it would hold the prompts."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(most: int) -> None:
    """Let allocations above `most` bytes fail.

    RLIMIT_DATA counts writable private memory, and not address space that drivers only reserve.
    """
    if sys.platform != "win32":
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


class CpuTime:
    """The CPU time of a child, limited for each answer and over all of them.

    A child that exceeds it ends with SIGXCPU, wherever it is.
    """

    def __init__(self) -> None:
        self._answers = 0
        self._limit = 0

    def allow(self, seconds: float) -> None:
        """Allow `seconds` for the next answer, less where earlier answers used up the total."""
        self._answers += 1
        total = AT_ONCE + EACH * self._answers
        limit = ceil(min(time.process_time() + seconds, total))
        if limit != self._limit and sys.platform != "win32":
            with suppress(ValueError, OSError):
                _, hard = resource.getrlimit(resource.RLIMIT_CPU)
                resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
        self._limit = limit
