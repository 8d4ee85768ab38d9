"""Limits that a child process sets for itself, if the operating system supports them."""

import sys
import time
from contextlib import suppress
from math import ceil

if sys.platform != "win32":
    import resource

AT_ONCE = 30
EACH = 0.1
"""Maximum CPU time of a child in seconds: `AT_ONCE` plus `EACH` per answer."""


def forbid_core_dumps() -> None:
    """Disable core dumps, which would contain prompts."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(most: int) -> None:
    """Limit the process to `most` bytes; further allocations fail.

    RLIMIT_DATA counts writable private memory, but not address space that drivers only reserve.
    """
    if sys.platform != "win32":
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


class CpuTime:
    """CPU time limit of a child, per answer and in total.

    SIGXCPU ends a child that exceeds it.
    """

    def __init__(self) -> None:
        self._answers = 0
        self._limit = 0

    def allow(self, seconds: float) -> None:
        """Allow `seconds` for the next answer, or less if that would exceed the total."""
        self._answers += 1
        total = AT_ONCE + EACH * self._answers
        limit = ceil(min(time.process_time() + seconds, total))
        if limit != self._limit and sys.platform != "win32":
            with suppress(ValueError, OSError):
                _, hard = resource.getrlimit(resource.RLIMIT_CPU)
                resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
        self._limit = limit
