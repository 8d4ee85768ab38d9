"""A terminal that people use: tmux, its keys sent and its screen read, and all it was written."""

import contextlib
import os
import select
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pytest

from tests.program import COMMAND

needs_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")

ROOT = Path(__file__).resolve().parents[2]

PROMPT = "at-the-prompt>"
MODES = ("1049", "1000", "1003", "1004", "1006", "1015", "2004")
"""What the program switches on: its own screen, mouse, focus, pasting."""


class Tmux:
    """A shell in a terminal of a size; a context manager, which ends whatever runs in it."""

    def __init__(self, cwd: Path, size: tuple[int, int] = (120, 40), **env: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tmux"))
        self._fifo = self._folder / "out"
        os.mkfifo(self._fifo)
        self.written = b""
        """All bytes that the terminal got."""
        width, height = map(str, size)
        here = os.environ | env | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        shell = ("env", "-u", "ENV", f"PS1={PROMPT}", "sh")
        self._call("new-session", "-d", "-x", width, "-y", height, "-c", str(cwd), *shell, env=here)
        self._call("set-option", "-g", "escape-time", "0")
        self._call("set-option", "-g", "remain-on-exit", "off")
        self._reader = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        self._call("pipe-pane", "-O", f"cat > {self._fifo}")
        self.wait(PROMPT)
        self._before = self._stty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if value is not None:
            with contextlib.suppress(subprocess.CalledProcessError):
                print(self.screen())
        with contextlib.suppress(subprocess.CalledProcessError):
            self._call("kill-server")
        os.close(self._reader)
        shutil.rmtree(self._folder)

    def _call(self, *words: str, env: dict[str, str] | None = None) -> str:
        command = ["tmux", "-S", str(self._folder / "s"), "-f", os.devnull, *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        return done.stdout

    # Keys and screen

    def run(self, *options: str) -> None:
        """Start the program at the prompt; the prompt comes back with its exit code before it."""
        line = shlex.join([*COMMAND, *options])
        self._call("send-keys", "-l", f"{line}; echo ended $?")
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Send keys by tmux's names: "Enter", "Down", "C-c", "q"."""
        self._call("send-keys", *keys)

    def type(self, text: str) -> None:
        """Send a text as it is."""
        self._call("send-keys", "-l", text)

    def screen(self) -> str:
        """Return what can be seen."""
        return self._call("capture-pane", "-p")

    def told(self, name: str) -> str:
        """Return one of tmux's variables."""
        return self._call("display-message", "-p", f"#{{{name}}}").strip()

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        self._call("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, *texts: str, seconds: float = 30, gone: str = "") -> str:
        """Return the screen once it shows all the texts, and not `gone`; fails after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if all(text in screen for text in texts) and not (gone and gone in screen):
                return screen
            left = end - time.monotonic()
            assert left > 0, f"{texts} not on the screen:\n{screen}"
            self.hear(min(left, 1.0))

    def hear(self, seconds: float) -> bool:
        """Wait until more is written, so long at the most; return whether more was."""
        if not select.select([self._reader], [], [], seconds)[0]:
            return False
        more = os.read(self._reader, 1 << 20)
        self.written += more
        return bool(more)

    def settle(self, quiet: float = 0.4) -> str:
        """Return the screen once nothing was written for a moment."""
        while self.hear(quiet):
            pass
        return self.screen()

    def end_session(self) -> None:
        """Close the terminal, as a lost connection does."""
        self._call("kill-server")

    # The program behind it

    def program(self) -> psutil.Process:
        """Return the program's process."""
        shell = psutil.Process(int(self.told("pane_pid")))
        return next(p for p in shell.children() if "steertui" in " ".join(p.cmdline()))

    def engine(self) -> psutil.Process:
        """Return the program's engine."""
        return next(p for p in self.program().children() if "spawn_main" in " ".join(p.cmdline()))

    def check_sane(self) -> None:
        """Fail unless the terminal is as the shell had it: no mode left on, the cursor shown."""
        self.settle(0.2)
        left = [m for m in MODES if self._last(f"?{m}h") > self._last(f"?{m}l")]
        assert not left, f"left switched on: {left}"
        states = [self.told(n) for n in ("alternate_on", "cursor_flag", "mouse_any_flag")]
        assert states == ["0", "1", "0"], states
        assert self._stty() == self._before

    def _last(self, mode: str) -> int:
        return self.written.rfind(b"\x1b[" + mode.encode())

    def _stty(self) -> str:
        """Return the terminal's settings, its size left out."""
        file = self._folder / "stty"
        file.unlink(missing_ok=True)
        self.type(f"stty -a | grep -v rows > {file}.new && mv {file}.new {file}")
        self.press("Enter")
        end = time.monotonic() + 20
        while not file.exists():
            assert time.monotonic() < end
            self.hear(0.1)
        return file.read_text(encoding="utf-8")
