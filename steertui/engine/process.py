"""The engine in a child process: spoken to through a pipe, asked why it died."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

import psutil
from platformdirs import user_log_path

from steertui.engine.context import ContextParams
from steertui.engine.engine_child import ChildFailed, EngineJob, EngineMessage
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.sandbox.launch import launch


class EngineProcess:
    """A child process with an Engine in it, started here; it loads while the parent goes on.

    Attributes:
        pipe: the parent's end, to wait on; at its end (EOFError, OSError) the child is dead.
        log: where what the child prints is kept.
    """

    def __init__(self, model: Path, shape: ContextParams, name: str) -> None:
        self.log = log_folder() / f"engine-{os.getpid()}{name}.log"
        self.log.unlink(missing_ok=True)
        self.pipe, theirs = Pipe()
        # What llama.cpp or a driver prints must not go into the middle of a screen.
        with open(self.log, "ab", opener=_private) as log:
            self._child = launch("steertui.engine.engine_child:main", theirs, output=log)
        theirs.close()
        with suppress(OSError):  # it has ended already, as the pipe will tell
            self.pipe.send(EngineJob(model, shape))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def send(self, requests: Sequence[GenerateRequest | ScoreRequest]) -> None:
        """Give it requests; only once it has told that it is loaded."""
        self.pipe.send(list(requests))

    def receive(self) -> EngineMessage:
        """Wait for its next message; raises the error with which it gives up."""
        message: EngineMessage | ChildFailed = self.pipe.recv()
        if isinstance(message, ChildFailed):
            raise message.error
        return message

    def suspend(self) -> None:
        """Hold it still, where it is alive."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).suspend()

    def resume(self) -> None:
        """Let it go on."""
        with suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).resume()

    def cause(self) -> str:
        """Return why it died: its signal or exit code, and its last words."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(5)
        code = self._child.returncode
        end = f"exit code {code}"
        if code is not None and code < 0:
            end = signal.Signals(-code).name
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"{end}: {lines[-1][:200]}" if lines else end

    def close(self) -> None:
        """End it, and with it free the device's memory; an empty log is taken away."""
        if self.pipe.closed:
            return
        self.pipe.close()
        self._child.kill()
        self._child.wait()
        if self.log.is_file() and not self.log.stat().st_size:
            self.log.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def log_folder() -> Path:
    """Return where what the child prints is kept: the user's folder for logs, or the temporary."""
    try:
        return user_log_path("steertui", ensure_exists=True)
    except OSError:
        return Path(tempfile.gettempdir())
