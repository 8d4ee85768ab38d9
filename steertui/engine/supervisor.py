"""A Worker: the engine on one device, started again whenever it dies."""

from collections import deque
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from steertui.engine.context import ContextParams, DecodeError
from steertui.engine.crash_attribution import PROOF, CrashAttribution
from steertui.engine.events import EngineEvent, EngineRestarted, RequestFailed, Snapshot, total
from steertui.engine.process import EngineProcess
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.errors import EngineError, SteertuiError

MOST_DEATHS = 20
"""Deaths with nothing finished in between, after which it is the machine, and not a request."""

MEMORY = (
    "out of memory",
    "failed to allocate",
    "unable to allocate",
    "not enough memory",
    "cannot make a context",
    "failed with code -2",
)
"""In a reason, what tells that memory ran out."""


class EngineDeadError(EngineError):
    """An engine that cannot be started again, or dies again and again."""


class Supervisor:
    """Requests in, news out; the death of its engine loses no request.

    Made, it begins to load; its first message says that it is loaded.

    Whoever was at work when it died is computed again; suspects run alone, after all others (see
    `CrashAttribution`), so that the innocent are told from the guilty. Where memory ran out the slots are
    halved.

    Attributes:
        shape: the engine's, as it runs now.
        requests: what is not yet answered, by id.
        recent: ids of the last that were answered; their prompts may still lie in the KV cache.
    """

    def __init__(self, model: Path, shape: ContextParams, number: int) -> None:
        self.shape = shape
        self.requests: dict[str, GenerateRequest | ScoreRequest] = {}
        self.recent: deque[str] = deque(maxlen=2 * shape.slots)
        self._model, self._name = model, f"-{number}" if number else ""
        self._sent: set[str] = set()
        self._blame = CrashAttribution()
        self._deaths = 0
        self._was_loaded = False
        self._snapshot = self._before = Snapshot()
        self._start()

    def _start(self) -> None:
        self._is_loaded = False
        self._engine = EngineProcess(self._model, self.shape, self._name)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._engine.pid

    @property
    def pipe(self) -> Connection:
        """What is to be waited on; who is ready there may be heard."""
        return self._engine.pipe

    @property
    def busy(self) -> int:
        """Requests at work or next in line; suspects, who come after all others, left out."""
        return sum(not self._blame.is_suspect(i) for i in self.requests)

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Take a request."""
        self.requests[request.id] = request

    def send(self) -> None:
        """Send what may go."""
        allowed = [i for i in self.requests if not self._blame.is_suspect(i)]
        allowed = [i for i in allowed if i not in self._sent]
        if not allowed and not self._sent:  # only suspects are left: one at a time
            allowed = list(self.requests)[:1]
        if allowed and self._is_loaded:
            try:
                self._engine.send([self.requests[i] for i in allowed])
            except OSError:
                return  # it is dead, as the pipe will tell
            self._sent.update(allowed)

    def hear(self) -> list[EngineEvent]:
        """Wait for the next message, or the news of its death.

        Raises the error with which the engine gives up, DeadError where it cannot be revived.
        """
        try:
            told = self._engine.receive()
        except (EOFError, OSError):
            return self._revive(self._engine.cause())
        except DecodeError as exc:
            return self._revive(str(exc))
        except SteertuiError as exc:
            if self._is_loaded or not self._was_loaded:
                raise  # a request's fault, or the file's
            return self._revive(str(exc))
        self._is_loaded = self._was_loaded = True
        self._snapshot = told.snapshot
        for event in told.finished:
            self._deaths = 0
            self.requests.pop(event.id, None)
            self._sent.discard(event.id)
            self.recent.append(event.id)
        return list(told.finished)

    def snapshot(self) -> Snapshot:
        """Return what the child last told; counts are since the start, deaths included."""
        return total((self._snapshot, self._before))

    def _revive(self, reason: str) -> list[EngineEvent]:
        log = self._engine.log
        self._deaths += 1
        if not self._was_loaded:
            raise EngineDeadError(
                f"{self._model}: llama.cpp stopped while loading this model ({reason}); see {log}: "
                "where memory ran out, ask for fewer --slots or a smaller model; otherwise the "
                "file is damaged, fetch it again"
            )
        if self._deaths > MOST_DEATHS:
            raise EngineDeadError(f"the engine died {self._deaths} times ({reason}); see {log}")
        failed = self._find_guilty(reason)
        # A kernel that kills for memory leaves no word: three deaths in a row count as one.
        if any(mark in reason for mark in MEMORY) or self._deaths >= 3:
            self.shape = replace(self.shape, slots=max(1, self.shape.slots // 2))
        self._before = replace(self.snapshot(), slots=(), waiting=0, cells=0)
        self._snapshot = Snapshot()
        self._sent.clear()
        self._engine.close()
        self._start()
        return [*failed, EngineRestarted(reason, self.shape)]

    def _find_guilty(self, reason: str) -> list[EngineEvent]:
        """Count who was at work; return the request that is now proven guilty, if one is."""
        if len(self._sent) != 1:
            self._blame.count({s.id for s in self._snapshot.slots} & self.requests.keys())
            return []
        (alone,) = self._sent
        request = self.requests.pop(alone)
        if self._blame.count_alone(alone):
            self._deaths = 0
            return [RequestFailed(alone, f"the engine died {PROOF} times on it alone: {reason}")]
        self.requests[alone] = request  # behind all others
        return []

    def suspend(self) -> None:
        """Hold the engine still."""
        self._engine.suspend()

    def resume(self) -> None:
        """Let it go on."""
        self._engine.resume()

    def close(self) -> None:
        """End the child, and with it free the device's memory."""
        self._engine.close()
