"""State of one server address of a model: availability, concurrency, back-off."""

import asyncio
import time
from dataclasses import dataclass

from steertui.core.prompt import Prompt
from steertui.errors import ServerError
from steertui.server.address import KEY, key_for
from steertui.server.circuit_breaker import CircuitBreaker
from steertui.server.client import Client
from steertui.server.completions import Completion
from steertui.server.concurrency import AdaptiveConcurrency
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel, key_rejected
from steertui.server.probe import probe_server

FIRST_BACKOFF = 1.0
"""Seconds before the next request to a busy or unreachable server; doubled each time."""

LONGEST_BACKOFF = 60.0
"""Maximum back-off in seconds; up to twice as long if the server asks for more."""

STABLE_FINGERPRINT = frozenset({"llama-server", "vLLM", "SGLang", "Ollama"})
"""Kinds of server whose replies carry the same model name and fingerprint until it restarts."""

MAX_MARKS = 32
"""Maximum model names and fingerprints that are tracked per address. A server that exceeds it
changes them with every reply, so they do not identify the server."""

MAX_REJECTIONS = 3
"""Consecutive rejections of a busy server before it gets a back-off."""


@dataclass(slots=True, eq=False)
class PromptJob:
    """A prompt to be sent.

    Attributes:
        tries: failed requests so far that the prompt itself may have caused.
        sent_at: monotonic time in seconds of the last request.
    """

    prompt: Prompt
    tries: int = 0
    sent_at: float = 0.0


class Endpoint:
    """One server address of a model.

    Attributes:
        client: HTTP client; an async context manager that holds the connections.
        concurrency: how many requests to keep in flight.
        in_flight: prompts sent and not answered, by trial key.
        wake: set whenever another request may be possible.
        needs_probe: whether to probe before the next request, because the server may be away or
            may have been replaced by another one.
        is_lost: whether its loss has been reported.
        disabled_reason: why it is never used again; "" while it is used.
        last_problem: the newest rejection or failed connection, in words; "" if there was none.
        failing_since: monotonic time of the first rejection or failed connection after the last
            answer; 0 while it answers.
    """

    def __init__(self, model: ServerModel, url: str, policy: RetryPolicy, share: int) -> None:
        """Prepare the connection; `share` is the number of prompts that fall to this address."""
        self.url = url
        self.client = Client(url, key_for(url, KEY), timeout=policy.timeout, retries=0)
        self.concurrency = AdaptiveConcurrency(
            model.info.kind,
            model.info.slots,
            maximum=policy.concurrency,
            now=time.monotonic(),
            share=share,
        )
        self.in_flight: dict[str, PromptJob] = {}
        self.wake = asyncio.Event()
        self.is_lost = url in dict(model.unreachable)
        self.needs_probe = self.is_lost
        self.disabled_reason = ""
        self.last_problem = dict(model.unreachable).get(url, "")
        self.failing_since = time.monotonic() if self.is_lost else 0.0
        self._model = model
        self._breaker = CircuitBreaker()
        self._backoff_until = 0.0
        self._last_backoff = FIRST_BACKOFF / 2
        self._rejections = 0
        self._known_marks: set[tuple[str, str]] = set()
        self._unknown_marks: set[tuple[str, str]] = set()

    @property
    def has_capacity(self) -> bool:
        """Whether it may get one more request."""
        return len(self.in_flight) < self.concurrency.limit

    @property
    def backoff(self) -> float:
        """Seconds left of the back-off; 0 or negative if there is none."""
        return self._backoff_until - time.monotonic()

    def back_off(self, seconds: float | None = None) -> None:
        """Send nothing for `seconds`; by default twice as long as the last time."""
        now = time.monotonic()
        if now >= self._backoff_until:  # failures of requests that were in flight count once
            self._last_backoff = min(LONGEST_BACKOFF, 2 * self._last_backoff)
        duration = self._last_backoff if seconds is None else min(seconds, 2 * LONGEST_BACKOFF)
        self._backoff_until = max(self._backoff_until, now + duration)
        self.failing_since = self.failing_since or now

    @property
    def has_answered(self) -> bool:
        """Whether it has answered a prompt in this run."""
        return bool(self._known_marks)

    def rejected_busy(self, problem: str, retry_after: float | None) -> None:
        """Record that the server is overloaded; `retry_after` is the delay it asks for."""
        now = time.monotonic()
        self.last_problem = problem
        self._rejections += 1
        self.failing_since = self.failing_since or now
        self.concurrency.overloaded(now)
        if retry_after is not None or self._rejections >= MAX_REJECTIONS:
            self.back_off(retry_after)

    def record(self, *, failed: bool) -> str:
        """Record a reply; return a description if the circuit breaker trips, "" otherwise."""
        self._breaker.note(failed=failed)
        if not failed:
            self._last_backoff = FIRST_BACKOFF / 2
            self.failing_since = 0.0
            self._rejections = 0
        if not self._breaker.is_open:
            return ""
        description = self._breaker.summary
        self._breaker = CircuitBreaker()
        return description

    def may_be_replaced(self, completion: Completion) -> bool:
        """Whether the reply carries an unknown model name or fingerprint.

        The server may have been replaced, so the reply must not be used before a probe. Several
        servers may share one address; after a successful probe, the names and fingerprints of all
        of them are known.
        """
        mark = (completion.model, completion.fingerprint)
        if not self._known_marks:
            self._known_marks.add(mark)
        says_nothing = len(self._known_marks) >= MAX_MARKS
        is_stable = self._model.info.kind in STABLE_FINGERPRINT and not says_nothing
        if not is_stable or mark in self._known_marks:
            return False
        self._unknown_marks.add(mark)
        return True

    async def probe(self) -> str:
        """Check that the server responds and serves the same weights; return "" or the problem."""
        name = self._model.address.model
        try:
            info = await probe_server(self.client, name)
        except ServerError as exc:
            self.disabled_reason = str(exc)
        except RequestRejected as exc:
            if exc.is_key_rejected:
                self.disabled_reason = str(key_rejected(name, self.url, exc.status))
            self.last_problem = self.disabled_reason or str(exc)
            self.back_off()
            return self.last_problem
        except ConnectionFailed as exc:
            self.last_problem = exc.cause
            self.back_off()
            return exc.cause
        else:
            self.needs_probe = info.identity != self._model.info.identity
            self.disabled_reason = "it serves other weights now" if self.needs_probe else ""
            self._known_marks |= self._unknown_marks
            self._unknown_marks.clear()
        return self.disabled_reason
