"""The program in a real terminal: what Textual's own test driver does not show."""

import fcntl
import os
import pty
import select
import sqlite3
import struct
import subprocess
import termios
import time
from pathlib import Path

from tests.fixtures.program import COMMAND


def read_until(master: int, mark: bytes, seconds: float) -> bytes:
    """Return what the terminal got, up to the mark; fails after so many seconds without it."""
    seen, end = b"", time.monotonic() + seconds
    while mark not in seen:
        ready, _, _ = select.select([master], [], [], max(0.0, end - time.monotonic()))
        assert ready, seen[-2000:].decode(errors="replace")
        seen += os.read(master, 65536)
    return seen


def test_from_the_first_key_to_the_last_in_a_terminal_of_80_by_24(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        [*COMMAND, "--demo", "--limit", "2"], cwd=tmp_path, env=env,
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    try:
        read_until(master, b"Up to date", 60)
        os.write(master, b"q")
        read_until(master, b"\x1b[?1049l", 20)  # the terminal's own screen is back
        assert process.wait(20) == 0
        assert termios.tcgetattr(terminal) == before
    finally:
        process.kill()
        os.close(master)
        os.close(terminal)
    db = sqlite3.connect(tmp_path / "steertui-demo.db")
    assert db.execute("SELECT count(*) FROM verdicts WHERE label IS NOT NULL").fetchall() == [(8,)]
    db.close()
