"""Engine processes: start, messages over a pipe, cause of a crash, log."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

import psutil
from platformdirs import user_log_path

from steertui.engine.engine_child import ChildFailed, EngineJob, EngineMessage
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.paths import private_temporary_folder
from steertui.sandbox.launch import launch


class ModelProcess:
    """A child process that loads a model and runs `entry` ("module:function").

    Attributes:
        pipe: the parent's end of the pipe; EOFError or OSError on it means that the child has
            ended.
        log: file with the output of the child.
    """

    def __init__(self, entry: str, job: object, name: str) -> None:
        """Start the child and send its job; `name` is that of the log."""
        self.log = log_folder() / f"{name}.log"
        self.log.unlink(missing_ok=True)
        self.pipe, child_pipe = Pipe()
        # Output of llama.cpp or a driver would corrupt a screen.
        with open(self.log, "ab", opener=_private) as log:
            self._child = launch(entry, child_pipe, output=log)
        child_pipe.close()
        with suppress(OSError):  # it has already ended; the first read finds out
            self.pipe.send(job)

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    def cause(self) -> str:
        """Return why it ended: signal or exit code, and the last line of its log."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(5)
        code = self._child.returncode
        reason = f"exit code {code}"
        if code is not None and code < 0:
            reason = signal.Signals(-code).name
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"{reason}: {lines[-1][:200]}" if lines else reason

    def close(self) -> None:
        """End the process, which frees the device's memory; delete the log if it is empty."""
        if self.pipe.closed:
            return
        self.pipe.close()
        self._child.kill()
        self._child.wait()
        if self.log.is_file() and not self.log.stat().st_size:
            self.log.unlink()


class EngineProcess(ModelProcess):
    """A child process that runs an `Engine`; it loads the model while the parent continues."""

    def __init__(self, job: EngineJob, name: str) -> None:
        super().__init__("steertui.engine.engine_child:main", job, f"engine-{os.getpid()}{name}")

    def send(self, requests: Sequence[GenerateRequest | ScoreRequest]) -> None:
        """Send requests; only after the first message, which says that the model is loaded."""
        self.pipe.send(list(requests))

    def receive(self) -> EngineMessage:
        """Wait for the next message; raise the error with which the child ended."""
        message: EngineMessage | ChildFailed = self.pipe.recv()
        if isinstance(message, ChildFailed):
            raise message.error
        return message

    def suspend(self) -> None:
        """Suspend the process, if it is alive."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).suspend()

    def resume(self) -> None:
        """Resume the process, if it is alive."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).resume()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def log_folder() -> Path:
    """Return the folder of the logs: the user's log folder, or the temporary one."""
    try:
        return user_log_path("steertui", ensure_exists=True)
    except OSError:
        return private_temporary_folder()
