"""The engine in a child process: a crash in llama.cpp or a driver is an event here."""

import multiprocessing
import os
import signal
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from platformdirs import user_log_path

from steertui.engine.child import Job, Told, Trouble, serve
from steertui.engine.context import ContextParams
from steertui.engine.engine import Scored, Snapshot, Written
from steertui.engine.sequence import Score, Write
from steertui.errors import EngineError

WAIT = 0.25
"""Seconds a step waits for news, so that a wish to stop is heard."""

PROOF = 3
"""Deaths with nobody else at work that prove a request guilty; fewer may be the machine's doing."""

MOST_DEATHS = 20
"""Deaths with nothing finished in between, after which it is the machine, and not a request."""

MEMORY = ("out of memory", "failed to allocate", "unable to allocate", "not enough memory")


@dataclass(frozen=True, slots=True)
class Failed:
    """A request killed the engine again and again while it was alone in it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The engine died, and why; its requests were put back, and it runs again in this shape."""

    reason: str
    shape: ContextParams


News = Written | Scored | Failed | Restarted


class EngineProcess:
    """An Engine of the same verbs, whose death loses no request.

    Whoever was at work when it died is computed again. A request that saw two deaths is run
    alone, after all others, so that the innocent are told from the guilty: one that kills the
    engine three times while alone in it has failed. Where memory ran out the slots are halved.

    Raises ModelError or EngineError where the child cannot load the model, or dies before that.
    """

    def __init__(self, model: Path, shape: ContextParams) -> None:
        self.shape = shape
        self._model = model
        self._log = log_folder() / f"engine-{os.getpid()}.log"
        self._waiting: dict[str, Write | Score] = {}
        self._sent: set[str] = set()
        self._seen: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()
        self._deaths = 0
        self._snapshot = Snapshot((), 0, 0, 0, 0, 0.0)
        self._before = self._snapshot
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._log.unlink(missing_ok=True)
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        job = Job(self._model, self.shape, self._log)
        self._child = context.Process(target=serve, args=(theirs, job), daemon=True)
        # Textual's stand-in for stderr has no file behind it, and multiprocessing asks for one.
        with redirect_stderr(sys.__stderr__):
            self._child.start()
        theirs.close()
        try:
            self._hear(self._pipe.recv())
        except (EOFError, OSError):
            reason = self._cause()
            self.close()
            raise EngineError(
                f"{self._model}: the engine died while loading it ({reason}); see {self._log}, "
                "and ask for fewer --slots or a smaller model"
            ) from None

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid or 0

    def add(self, request: Write | Score) -> None:
        """Queue a request."""
        self._waiting[request.id] = request

    @property
    def unfinished(self) -> int:
        """How many requests wait or are at work."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether every request was answered."""
        return not self._waiting

    def snapshot(self) -> Snapshot:
        """Return what the child last told; counts are since the start, deaths included."""
        now, old = self._snapshot, self._before
        return replace(
            now,
            written=now.written + old.written,
            prefilled=now.prefilled + old.prefilled,
            steps=now.steps + old.steps,
            seconds_decoding=now.seconds_decoding + old.seconds_decoding,
        )

    def step(self) -> list[News]:
        """Send what may go, wait a moment for news, return them."""
        try:
            self._send()
            if not self._pipe.poll(WAIT):
                return []
            return self._hear(self._pipe.recv())
        except (EOFError, OSError):
            return self._revive()

    def _send(self) -> None:
        allowed = [i for i in self._waiting if self._seen[i] < 2 and i not in self._sent]
        if not allowed and not self._sent:  # only suspects are left: one at a time
            allowed = list(self._waiting)[:1]
        if allowed:
            self._pipe.send([self._waiting[i] for i in allowed])
            self._sent.update(allowed)

    def _hear(self, message: Told | Trouble) -> list[News]:
        if isinstance(message, Trouble):
            self.close()
            raise message.error
        self._snapshot = message.snapshot
        for event in message.finished:
            self._deaths = 0
            self._waiting.pop(event.id, None)
            self._sent.discard(event.id)
        return list(message.finished)

    def _revive(self) -> list[News]:
        reason = self._cause()
        self._deaths += 1
        if self._deaths > MOST_DEATHS:
            self.close()
            raise EngineError(f"the engine died {self._deaths} times ({reason}); see {self._log}")
        failed = self._blame(reason)
        # A kernel that kills for memory leaves no word: three deaths in a row count as one.
        if any(mark in reason for mark in MEMORY) or self._deaths >= 3:
            self.shape = replace(self.shape, slots=max(1, self.shape.slots // 2))
        self._before = replace(self.snapshot(), slots=(), waiting=0)
        self._snapshot = Snapshot((), 0, 0, 0, 0, 0.0)
        self._sent.clear()
        self._reap()
        self._start()
        return [*failed, Restarted(reason, self.shape)]

    def _blame(self, reason: str) -> list[Failed]:
        """Count who was at work; return the request that is now proven guilty, if one is."""
        if len(self._sent) != 1:
            self._seen.update({slot.id for slot in self._snapshot.slots} & self._waiting.keys())
            self._alone.clear()  # the engine dies without them, too
            return []
        (alone,) = self._sent
        self._alone[alone] += 1
        self._seen[alone] += 2
        request = self._waiting.pop(alone)
        if self._alone[alone] == PROOF:
            self._deaths = 0
            return [Failed(alone, f"the engine died {PROOF} times on it alone: {reason}")]
        self._waiting[alone] = request  # behind all others
        return []

    def _cause(self) -> str:
        """Return why the child died: its last words, and its signal or exit code."""
        self._child.join(5)
        code = self._child.exitcode
        end = f"exit code {code}"
        if code is not None and code < 0:
            end = signal.Signals(-code).name
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"{end}: {lines[-1][:200]}" if lines else end

    def _reap(self) -> None:
        self._pipe.close()
        if self._child.is_alive():
            self._child.kill()
        self._child.join()
        self._child.close()

    def close(self) -> None:
        """End the child, and with it free the device's memory."""
        if not self._pipe.closed:
            self._reap()
            if self._log.is_file() and not self._log.stat().st_size:
                self._log.unlink()


def log_folder() -> Path:
    """Return where what the child prints is kept: the user's folder for logs, or the temporary."""
    try:
        return user_log_path("steertui", ensure_exists=True)
    except OSError:
        return Path(tempfile.gettempdir())
