"""Patience: how servers that write answers are asked, and for how long they are waited for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How servers are asked.

    Attributes:
        concurrency: answers at once, the most that each is asked for.
        timeout: seconds for an answer.
        tries: of a prompt, before it is listed as failed.
        wait: seconds without any server of a model, after which its work is stopped.
    """

    concurrency: int = 256
    timeout: float = 600.0
    tries: int = 6
    wait: float = 600.0


DEFAULT_RETRY_POLICY = RetryPolicy()
