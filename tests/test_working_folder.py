"""`python -m steertui` in a folder from someone else runs none of its Python files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.program import call_anew

ROOT = Path(__file__).parents[1]

MODULES = ("openai", "click", "textual", "httpx2", "sqlite_utils", "json", "secrets", "pathlib")


@pytest.mark.parametrize("options", [("--version",), ("models",), ("report", "none.db")])
def test_no_module_of_the_working_folder_is_imported(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w')", encoding="utf-8")
    before = {path.name for path in tmp_path.iterdir()}
    call_anew(*options, cwd=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_checkout_runs_as_a_module_without_installation() -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "steertui", "--version"]
    run = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    assert "steertui, version" in run.stdout
