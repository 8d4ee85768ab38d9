"""The wheel holds everything that runs the demo."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_alone_elsewhere_runs_the_demo(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(installed)
    assert not [n for n in names if n.startswith("steertui/data/") and n.endswith(".py")]
    env = os.environ | {"PYTHONPATH": str(installed)}
    where = [sys.executable, "-c", "import steertui, sys; print(steertui.__file__)"]
    found = subprocess.run(where, cwd=elsewhere, env=env, capture_output=True, text=True)
    assert found.stdout.startswith(str(installed))
    command = [sys.executable, "-m", "steertui", "--batch", "--demo", "--limit", "2"]
    done = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gap pro − anti" in done.stdout
