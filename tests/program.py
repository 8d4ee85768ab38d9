"""The program as its users run it: a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

COMMAND = [sys.executable, "-m", "steertui"]


def start(*options: str, cwd: Path, seed: str = "random") -> "subprocess.Popen[str]":
    """Return the program, running in `cwd`; `seed` is of Python's hashes, and so of sets' order."""
    path = str(Path(__file__).resolve().parents[1])
    env = os.environ | {"COLUMNS": "120", "PYTHONPATH": path, "PYTHONHASHSEED": seed}
    return subprocess.Popen(
        [*COMMAND, *options], cwd=cwd, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def call(*options: str, cwd: Path, seed: str = "random") -> tuple[int, str, str]:
    """Run to the end; return exit code, stdout, stderr."""
    with start(*options, cwd=cwd, seed=seed) as process:
        out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def records(out: str) -> list[dict[str, object]]:
    """Return the JSON records of a run with --json."""
    return [json.loads(line) for line in out.splitlines()]


def without_times(rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return the rows without what differs from run to run."""
    times = {"seconds", "created_at", "planned_at", "run", "id"}
    return [{k: v for k, v in row.items() if k not in times} for row in rows]
