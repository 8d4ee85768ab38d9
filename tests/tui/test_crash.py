"""A defect of the program: the traceback on the terminal shows no value of a variable."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
from pathlib import Path
from steertui.tui.session import open_session
from steertui.tui.app import SteertuiApp

async def broken(self):
    held = "-".join(["my", "private", "key"])
    raise RuntimeError("a defect")

SteertuiApp.on_mount = broken
SteertuiApp(open_session(None, Path("a.db"), None)).run(headless=True)
"""


def test_a_traceback_shows_no_keys(tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    printed = done.stdout + done.stderr
    assert "a defect" in printed
    assert "my-private-key" not in printed
