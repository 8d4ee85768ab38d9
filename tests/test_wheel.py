"""Wheel: it contains everything that the demo, bundles and exports need."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_installed_wheel_runs_the_demo_in_another_folder(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(installed)
    assert not [n for n in names if n.startswith("steertui/data/") and n.endswith(".py")]
    env = os.environ | {"PYTHONPATH": str(installed)}
    print_location = [sys.executable, "-c", "import steertui, sys; print(steertui.__file__)"]
    located = subprocess.run(print_location, cwd=elsewhere, env=env, capture_output=True, text=True)
    assert located.stdout.startswith(str(installed))
    command = [sys.executable, "-m", "steertui", "--batch", "--demo", "--limit", "2"]
    command += ["--db", "a.db"]
    result = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "pro − anti" in result.stdout
    for options, shown in (
        (("bundle", "a.db"), "digest "),
        (("verify", "a.bundle.zip"), "All parts agree"),
        (("export", "a.db", "--datasette", "metadata.json"), "metadata.json"),
    ):
        command = [sys.executable, "-m", "steertui", *options]
        result = subprocess.run(command, cwd=elsewhere, env=env, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert shown in result.stdout + result.stderr
