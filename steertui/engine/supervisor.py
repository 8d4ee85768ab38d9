"""Supervisor of one engine process: sends requests, restarts it after a crash."""

from collections import deque
from dataclasses import replace
from multiprocessing.connection import Connection

from steertui.engine.context import DecodeError
from steertui.engine.crash_attribution import CRASHES_TO_FAIL, CrashAttribution
from steertui.engine.engine_child import EngineJob
from steertui.engine.events import EngineEvent, EngineRestarted, RequestFailed, Snapshot, combine
from steertui.engine.process import EngineProcess
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.errors import EngineError, SteertuiError

MAX_CRASHES = 20
"""Crashes without a completed request in between, after which the engine is given up."""

CRASHES_TO_SHRINK = 3
"""Such crashes after which slots are halved: a process killed for its memory leaves no message."""

OUT_OF_MEMORY_MARKS = (
    "out of memory",
    "failed to allocate",
    "unable to allocate",
    "cannot allocate memory",
    "not enough memory",
    "cannot create a context",
    "failed with code -2",
    "bad_alloc",
    "memoryerror",
    "can't start new thread",
)
"""Parts of a crash reason, in lower case, that mean that memory ran out."""


class EngineDeadError(EngineError):
    """An engine that cannot be started again, or that crashed too often."""


class Supervisor:
    """One engine process, restarted after a crash; a crash loses no request.

    The process starts to load the model at once; its first message says that it is loaded. After a
    crash all unfinished requests are sent again. A request present at two crashes runs alone, after
    all others, to find out whether it causes the crash (see `CrashAttribution`). If memory ran out,
    the number of slots is halved.

    Attributes:
        shape: current context parameters.
        requests: unfinished requests by id.
        recent: ids of the last completed requests, whose prompts may still be in the KV cache.
    """

    def __init__(self, job: EngineJob, number: int) -> None:
        """Start an engine; `number` distinguishes the logs of several engines."""
        self.shape = job.shape
        self.requests: dict[str, GenerateRequest | ScoreRequest] = {}
        self.recent: deque[str] = deque(maxlen=2 * job.shape.slots)
        self._job = job
        self._log_suffix = f"-{number}" if number else ""
        self._sent: set[str] = set()
        self._attribution = CrashAttribution()
        self._crashes = 0
        self._was_loaded = False
        self._snapshot = Snapshot()
        self._before_restart = Snapshot()
        self._start()

    def _start(self) -> None:
        self._is_loaded = False
        self._engine = EngineProcess(replace(self._job, shape=self.shape), self._log_suffix)

    @property
    def pid(self) -> int:
        """Process id of the engine."""
        return self._engine.pid

    @property
    def pipe(self) -> Connection:
        """Connection to wait on; call `receive` when it is ready."""
        return self._engine.pipe

    @property
    def load(self) -> int:
        """Number of unfinished requests, without those that run alone after all others."""
        return sum(not self._attribution.runs_alone(i) for i in self.requests)

    def add(self, request: GenerateRequest | ScoreRequest) -> None:
        """Accept a request; it is sent by the next call of `send`."""
        self.requests[request.id] = request

    def send(self) -> None:
        """Send the requests that may run now; one at a time if only isolated requests are left."""
        shared = [i for i in self.requests if not self._attribution.runs_alone(i)]
        ids = [i for i in shared if i not in self._sent]
        if not ids and not self._sent:
            ids = list(self.requests)[:1]
        if ids and self._is_loaded:
            try:
                self._engine.send([self.requests[i] for i in ids])
            except OSError:
                return  # it has crashed; `receive` finds out
            self._sent.update(ids)

    def receive(self) -> list[EngineEvent]:
        """Wait for the next message or a crash, and return the events.

        Raises the error with which the engine ended, or EngineDeadError if it cannot be restarted.
        """
        try:
            message = self._engine.receive()
        except (EOFError, OSError):
            return self._restart(self._engine.cause())
        except DecodeError as exc:
            return self._restart(str(exc))
        except SteertuiError as exc:
            if self._is_loaded or not self._was_loaded:
                raise  # the request or the model file is invalid
            return self._restart(str(exc))
        self._is_loaded = True
        self._was_loaded = True
        self._snapshot = message.snapshot
        for event in message.finished:
            self._crashes = 0
            self.requests.pop(event.id, None)
            self._sent.discard(event.id)
            self.recent.append(event.id)
        return list(message.finished)

    def snapshot(self) -> Snapshot:
        """Return the engine's last snapshot; counters include those before restarts."""
        return combine((self._snapshot, self._before_restart))

    def _restart(self, reason: str) -> list[EngineEvent]:
        log = self._engine.log
        self._crashes += 1
        if not self._was_loaded:
            raise EngineDeadError(
                f"{self._job.model}: llama.cpp stopped while loading this model ({reason}; see "
                f"{log}); if memory ran out, use fewer --slots or a smaller model, otherwise "
                "download the file again"
            )
        if self._crashes > MAX_CRASHES:
            raise EngineDeadError(f"the engine died {self._crashes} times ({reason}); see {log}")
        failed = self._attribute(reason)
        is_out_of_memory = any(mark in reason.lower() for mark in OUT_OF_MEMORY_MARKS)
        if is_out_of_memory or self._crashes >= CRASHES_TO_SHRINK:
            self.shape = replace(self.shape, slots=max(1, self.shape.slots // 2))
        self._before_restart = replace(self.snapshot(), slots=(), waiting=0, used_cells=0)
        self._snapshot = Snapshot()
        self._sent.clear()
        self._engine.close()
        self._start()
        return [*failed, EngineRestarted(reason, self.shape)]

    def _attribute(self, reason: str) -> list[EngineEvent]:
        """Record which requests were present at a crash; return the one that fails, if any."""
        if len(self._sent) != 1:
            in_slots = {slot.id for slot in self._snapshot.slots}
            self._attribution.record_shared(in_slots & self.requests.keys())
            return []
        (key,) = self._sent
        request = self.requests.pop(key)
        if self._attribution.record_alone(key):
            self._crashes = 0
            message = f"the engine died {CRASHES_TO_FAIL} times on it alone: {reason}"
            return [RequestFailed(key, message)]
        self.requests[key] = request  # after all others
        return []

    def suspend(self) -> None:
        """Suspend the engine's process."""
        self._engine.suspend()

    def resume(self) -> None:
        """Resume the engine's process."""
        self._engine.resume()

    def close(self) -> None:
        """End the engine's process, which frees the device's memory."""
        self._engine.close()
