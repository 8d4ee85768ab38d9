"""Limits for requests to servers that answer prompts: concurrency, timeout, retries, outage."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Concurrency, timeout and retries of requests for answers.

    Attributes:
        concurrency: maximum requests in flight per server.
        timeout: seconds for one answer.
        max_tries: attempts per prompt before it is listed as failed.
        max_outage: seconds without any reachable server before the model's work is stopped.
    """

    concurrency: int = 256
    timeout: float = 600.0
    max_tries: int = 6
    max_outage: float = 600.0


DEFAULT_RETRY_POLICY = RetryPolicy()
