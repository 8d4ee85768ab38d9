"""Shell completion: commands, options, values and files, in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.tmux import Tmux, needs_tmux

ROOT = Path(__file__).resolve().parents[1]
SHELLS = {"bash": "complete -o nosort", "zsh": "#compdef steertui", "fish": "complete --no-files"}

COMPLETE = """
source steertui.bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_steertui_completion steertui
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the program `steertui`, its script for bash and two files."""
    path = tmp_path_factory.mktemp("completion")
    program = path / "steertui"
    # As pip writes it, for a path with spaces: the name of the file is the name of the command.
    program.write_text(
        f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\n"
        "from steertui.__main__ import main\n\nmain()\n"
    )
    program.chmod(0o755)
    (path / "mine.db").touch()
    (path / "notes.txt").touch()
    (path / "steertui.bash").write_text(script("bash", path))
    return path


def script(shell: str, folder: Path) -> str:
    return run(["steertui"], folder, _STEERTUI_COMPLETE=f"{shell}_source")


def run(command: list[str], folder: Path, **variables: str) -> str:
    env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=env | variables, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script(folder: Path, shell: str) -> None:
    assert SHELLS[shell] in script(shell, folder)
    if shutil.which(shell):
        (folder / f"check.{shell}").write_text(script(shell, folder))
        run([shell, "-n", f"check.{shell}"], folder)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("steertui imp", ["import-inspect", "import-paper"]),
        ("steertui report --fig", ["--figure-width"]),
        ("steertui report mine.db --format tri", ["trials-csv"]),
        ("steertui --preset demo-s", ["demo-steering"]),
        ("steertui models ver", ["verify"]),
    ],
)
def test_bash_completes_a_command_line(folder: Path, line: str, expected: list[str]) -> None:
    found = run(["bash", "-c", COMPLETE, "bash", *line.split()], folder).split()
    assert found == expected


@needs_tmux
@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_tab_completes_files_of_every_command_that_reads_one(folder: Path) -> None:
    lines = ("report mi", "--db mi", "judge mi", "merge all.db mi", "import-inspect mi")
    with Tmux(folder, PATH=f"{folder}:{os.environ['PATH']}") as terminal:
        terminal.type("exec env PS1=BASH bash --norc --noprofile")
        terminal.press("Enter")
        terminal.wait("BASH")
        terminal.type("source steertui.bash; echo loa''ded")
        terminal.press("Enter")
        terminal.wait("loaded")
        for line in lines:
            terminal.type(f"steertui {line}")
            terminal.press("Tab")
            terminal.wait(f"steertui {line}ne.db")
            terminal.press("C-u")
