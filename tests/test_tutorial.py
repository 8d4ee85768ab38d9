"""The tutorial's commands print what the tutorial shows.

A block that begins with ```console is run in an empty folder; a ```toml block is saved as
mine.toml. `DOCS=write` puts the real output into the page instead of comparing.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(console|toml)\n(.*?)```", flags=re.S)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `steertui` is the program under test."""
    program = folder / "bin" / "steertui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m steertui "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}


def run_block(block: str, folder: Path, env: dict[str, str]) -> str:
    """Run a console block's commands; return the block with what they print."""
    lines = []
    for command in re.findall(r"^\$ (.+)$", block, flags=re.M):
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, (command, done.stderr)
        lines += [f"$ {command}\n", done.stdout]
    return "".join(lines)


def without_times(text: str) -> str:
    """Return a text with one value for all predicted times, which the machine's speed decides."""
    return re.sub(r"\b\d+:\d\d\b", "0:00", text)


@pytest.mark.slow
def test_the_tutorial_shows_what_its_commands_print(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    env = environment(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert sum(kind == "console" for kind, _ in blocks) >= 5
    for kind, block in blocks:
        if kind == "toml":
            (folder / "mine.toml").write_text(block, encoding="utf-8")
            continue
        printed = run_block(block, folder, env)
        if os.environ.get("DOCS") == "write":
            text = text.replace(block, printed)
        else:
            assert without_times(printed) == without_times(block)
    PAGE.write_text(text, encoding="utf-8")
