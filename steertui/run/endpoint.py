"""A Station: one server of a model at work, and whether it can be asked just now."""

import asyncio
import time
from dataclasses import dataclass

from steertui.core.prompt import Prompt
from steertui.errors import ServerError
from steertui.server.address import KEY, key_for
from steertui.server.circuit_breaker import CircuitBreaker
from steertui.server.client import Client, ConnectionFailed, RequestRejected
from steertui.server.completions import Completion
from steertui.server.concurrency import AdaptiveConcurrency
from steertui.server.limits import RetryPolicy
from steertui.server.model import ServerModel, key_rejected
from steertui.server.probe import probe_server

LONGEST_REST = 60.0
"""Seconds between two looks at a server that is busy or away."""

SIGNING = frozenset({"llama-server", "vLLM", "SGLang", "Ollama"})
"""Makes whose every answer bears the same names as long as the server is the same."""

PATIENT = 3
"""Refusals in a row after which a busy server is left alone for a while."""


@dataclass(slots=True, eq=False)
class PromptJob:
    """A prompt on its way, how often it was tried, and when it was last sent."""

    prompt: Prompt
    tries: int = 0
    begun: float = 0.0


class Endpoint:
    """One address. A context manager: the connection is open while it lasts.

    Attributes:
        at_work: the prompts that it was given and has not answered, by key.
        wake: set whenever the server may be asked something new.
        in_doubt: whether it has to be looked at before it is asked again: it may be away, or
            another server in its place.
        is_lost: whether it was told that it is away.
        out: why it is never asked again, "" while it is.
        silent_since: when it first refused or vanished after its last answer; 0 while it answers.
    """

    def __init__(self, model: ServerModel, url: str, patience: RetryPolicy, share: int) -> None:
        self.url = url
        self.client = Client(url, key_for(url, KEY), timeout=patience.timeout, retries=0)
        self.pace = AdaptiveConcurrency(
            model.info.kind,
            model.info.slots,
            maximum=patience.concurrency,
            now=time.monotonic(),
            share=share,
        )
        self.at_work: dict[str, PromptJob] = {}
        self.wake = asyncio.Event()
        self.in_doubt = self.is_lost = url in dict(model.unreachable)
        self.out = ""
        self.silent_since = time.monotonic() if self.is_lost else 0.0
        self._model = model
        self._breaker = CircuitBreaker()
        self._rest_until, self._last_rest = 0.0, 0.5
        self._refusals = 0
        self._known: set[tuple[str, str]] = set()
        self._strange: set[tuple[str, str]] = set()

    @property
    def has_room(self) -> bool:
        """Whether it may be given one more prompt."""
        return len(self.at_work) < self.pace.limit

    @property
    def rest(self) -> float:
        """Seconds for which it is to be left alone."""
        return self._rest_until - time.monotonic()

    def take_rest(self, seconds: float | None = None) -> float:
        """Leave it alone, twice as long each time if nobody says how long; return how long."""
        now = time.monotonic()
        if now >= self._rest_until:  # all that was in flight counts as one
            self._last_rest = min(LONGEST_REST, 2 * self._last_rest)
        rest = self._last_rest if seconds is None else min(seconds, 2 * LONGEST_REST)
        self._rest_until = max(self._rest_until, now + rest)
        self.silent_since = self.silent_since or now
        return rest

    def busy(self, wait: float | None) -> None:
        """Note that it is too much at the moment, and for how long it wants to be left alone."""
        self._refusals += 1
        self.silent_since = self.silent_since or time.monotonic()
        self.pace.overloaded(time.monotonic())
        if wait is not None or self._refusals >= PATIENT:
            self.take_rest(wait)

    def note(self, *, failed: bool) -> str:
        """Note a reply; return what is wrong where most of the last ones were failures."""
        self._breaker.note(failed=failed)
        if not failed:
            self._last_rest, self.silent_since, self._refusals = 0.5, 0.0, 0
        if not self._breaker.is_open:
            return ""
        words, self._breaker = self._breaker.summary, CircuitBreaker()
        return words

    def is_another(self, answer: Completion) -> bool:
        """Whether the server signs as it never did: it may be another one, until it was looked
        at. Behind one address several may take turns, so a name that was looked at stays known."""
        mark = (answer.model, answer.fingerprint)
        if not self._known:
            self._known.add(mark)
        if self._model.info.kind not in SIGNING or mark in self._known:
            return False
        self._strange.add(mark)
        return True

    async def look(self) -> str:
        """Ask whether it is there, with the same weights; return "", or why it is not."""
        name = self._model.address.model
        try:
            told = await probe_server(self.client, name, (RequestRejected, ConnectionFailed))
        except ServerError as exc:
            self.out = str(exc)
        except RequestRejected as exc:
            if exc.status in (401, 403):
                self.out = str(key_rejected(name, self.url, exc.status))
            self.take_rest()
            return self.out or str(exc)
        except ConnectionFailed as exc:
            self.take_rest()
            return exc.cause
        else:
            self.in_doubt = told.identity != self._model.info.identity
            self.out = "it serves other weights now" if self.in_doubt else ""
            self._known |= self._strange
            self._strange.clear()
        return self.out
