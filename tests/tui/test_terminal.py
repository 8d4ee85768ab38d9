"""The program in a pseudo-terminal: modes and exit code, which Textual's test driver omits."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.fixtures.database import select as select_rows
from tests.fixtures.database import write_small_database
from tests.fixtures.ordinary_user import ROOT, ordinary
from tests.fixtures.program import COMMAND


def read_until(master: int, mark: bytes, seconds: float) -> bytes:
    """Return the output up to the mark; fail after `seconds` without it."""
    output = b""
    end = time.monotonic() + seconds
    while mark not in output:
        ready, _, _ = select.select([master], [], [], max(0.0, end - time.monotonic()))
        assert ready, output[-2000:].decode(errors="replace")
        output += os.read(master, 65536)
    return output


def wait_until_stopped(process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Wait until the shell's job control would show the process as stopped."""
    end = time.monotonic() + seconds
    while os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG) == (0, 0):
        assert time.monotonic() < end
        time.sleep(0.02)


@dataclass
class Foreground:
    """The program in the foreground of a terminal.

    Attributes:
        master: the end of the terminal at which its user is.
        terminal: the end at which the program is.
        modes: the terminal's before the program began.
    """

    process: subprocess.Popen[bytes]
    master: int
    terminal: int
    modes: list[object]

    def suspend(self) -> None:
        """Press ctrl+z, and wait until the program has left the screen and stopped."""
        os.write(self.master, b"\x1a")
        read_until(self.master, b"\x1b[?1049l", 20)
        wait_until_stopped(self.process)

    def go_on(self) -> None:
        """Do what fg does, and wait until the program is back on the screen."""
        self.process.send_signal(signal.SIGCONT)
        read_until(self.master, b"\x1b[?1049h", 20)


@contextmanager
def in_foreground(folder: Path, *options: str) -> Iterator[Foreground]:
    """Run the program as a shell does in a terminal of 80 x 24."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    modes = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        [*COMMAND, *options],
        cwd=folder,
        env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    try:
        yield Foreground(process, master, terminal, modes)
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(20)
        os.close(master)
        os.close(terminal)


def test_terminal_is_restored_after_a_run_and_while_suspended(tmp_path: Path) -> None:
    with in_foreground(tmp_path, "--demo", "--limit", "2") as program:
        read_until(program.master, b"Up to date", 60)
        program.suspend()
        assert termios.tcgetattr(program.terminal) == program.modes
        program.go_on()
        read_until(program.master, b"Up to date", 20)
        os.write(program.master, b"q")
        read_until(program.master, b"\x1b[?1049l", 20)  # leaves the alternate screen
        assert program.process.wait(20) == 0
        assert termios.tcgetattr(program.terminal) == program.modes
    sql = "SELECT count(*) FROM verdicts WHERE label IS NOT NULL"
    assert select_rows(tmp_path / "steertui-demo.db", sql) == [(8,)]


@pytest.mark.slow
def test_a_suspended_run_computes_nothing_and_counts_no_time(tmp_path: Path) -> None:
    stop = 10.0
    run = ("--demo", "--limit", "12", "--slots", "4")
    with in_foreground(tmp_path, *run) as program:
        read_until(program.master, b"tokens/s", 60)
        program.suspend()
        engines = psutil.Process(program.process.pid).children(recursive=True)
        before = [sum(engine.cpu_times()[:2]) for engine in engines]
        time.sleep(stop)
        assert [sum(engine.cpu_times()[:2]) for engine in engines] == pytest.approx(before, abs=0.1)
        program.go_on()
        read_until(program.master, b"Up to date", 60)
        os.write(program.master, b"q")
        assert program.process.wait(20) == 0
    sql = "SELECT count(*), max(seconds) FROM generations"
    ((count, longest),) = select_rows(tmp_path / "steertui-demo.db", sql)
    assert count == 48
    assert isinstance(longest, float)
    assert longest < stop


@pytest.mark.parametrize("options", [(), ("--demo", "--db", "a.db")])
@pytest.mark.parametrize(
    ("redirected", "term", "problem"),
    [
        ("stdin", "xterm", "standard input is no terminal"),
        ("stdout", "xterm", "standard output is no terminal"),
        ("stderr", "xterm", "standard error is no terminal"),
        ("", "dumb", "TERM is 'dumb', a terminal without control sequences"),
    ],
)
def test_screens_without_a_terminal_are_refused_in_one_sentence_that_names_batch(
    tmp_path: Path, options: tuple[str, ...], redirected: str, term: str, problem: str
) -> None:
    master, terminal = pty.openpty()
    with (tmp_path / "redirected").open("w+b") as file:
        ends = {redirected: file.fileno()}
        process = subprocess.Popen(
            [*COMMAND, *options],
            cwd=tmp_path,
            env=os.environ | {"TERM": term, "COLUMNS": "400"},
            stdin=ends.get("stdin", terminal),
            stdout=ends.get("stdout", terminal),
            stderr=ends.get("stderr", terminal),
        )
        try:
            code = process.wait(60)
            os.write(terminal, b"END")
            message = read_until(master, b"END", 10).decode()
        finally:
            process.kill()
            os.close(master)
            os.close(terminal)
    assert code == 2
    message = message.removesuffix("END") + (tmp_path / "redirected").read_text()
    assert message.strip() == (
        f"steertui: the screens need a terminal, and {problem}; add --batch to run without "
        "screens, or use a subcommand such as `steertui report DB`"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["redirected"]


def test_the_screens_show_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    write_small_database(folder / "a.db")
    (folder / "a.db").chmod(0o444)
    folder.chmod(0o555)
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        ordinary([*COMMAND, "--db", str(folder / "a.db")]),
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    try:
        output = read_until(master, b"Quit", 60)
        for key, mark in ((b"3", b"greedy"), (b"4", b"95 % interval"), (b"5", b"convergence")):
            os.write(master, key)
            output += read_until(master, mark, 30)
        os.write(master, b"q")
        output += read_until(master, b"\x1b[?1049l", 20)
        assert process.wait(20) == 0
        assert b"cannot be" not in output
    finally:
        process.kill()
        folder.chmod(0o755)
        os.close(master)
        os.close(terminal)
    assert [path.name for path in folder.iterdir()] == ["a.db"]


def own_terminal() -> None:
    """Make standard input the terminal of this process, so that it gets its signals."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("is_own", [True, False])
def test_the_screens_end_when_their_terminal_closes(is_own: bool, tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, "--db", "a.db"],
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm-256color"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=own_terminal if is_own else None,
    )
    try:
        os.close(terminal)
        read_until(master, b"Run the demo", 60)
        os.close(master)
        assert process.wait(40) == 128 + signal.SIGHUP
    finally:
        process.kill()
