"""`steertui serve` without its package, and with a host that is no address."""

import os
import subprocess
import sys
from pathlib import Path


def serve(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command where the package textual_serve cannot be imported."""
    (folder / "textual_serve.py").write_text(
        "raise ModuleNotFoundError('missing', name='textual_serve')", encoding="utf-8"
    )
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    command = [sys.executable, "-m", "steertui", "serve", *options]
    environment = os.environ | {"PYTHONPATH": path}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    result = serve(tmp_path)
    assert result.returncode == 2
    assert "pip install 'steertui[serve]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_host_name_is_refused(tmp_path: Path) -> None:
    result = serve(tmp_path, "--host", "example.org")
    assert result.returncode == 2
    assert "is not an IP address" in result.stderr
