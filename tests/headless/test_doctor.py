"""`steertui doctor`: build, devices and memory, and the command that enables an accelerator."""

import os
import stat
from importlib.metadata import version
from pathlib import Path

import pytest

from steertui.engine.devices import devices
from steertui.headless.doctor import PROBLEM, examine, nvidia_card, rebuild_hint
from tests.fixtures.program import call


def test_build_devices_and_memory_are_printed(tmp_path: Path) -> None:
    code, out, _ = call("doctor", cwd=tmp_path)
    assert code == 0
    assert f"llama-cpp-python {version('llama-cpp-python')}, built for " in out
    assert "GiB free" in out
    assert any(d.backend == "CPU" for d in devices())


def test_unused_card_is_reported_with_the_build_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(d.is_accelerator for d in devices()):
        pytest.skip("this build uses an accelerator")
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA Test 9000'\n", encoding="utf-8")
    driver.chmod(driver.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert nvidia_card() == "NVIDIA Test 9000"
    (problem,) = [f for f in examine() if f.sign == PROBLEM]
    hint = rebuild_hint("CUDA", version("llama-cpp-python"))
    assert problem.text == f"NVIDIA Test 9000 is not used by this CPU build; {hint}"
    assert "rebuild it for CUDA" in hint
    assert '-DGGML_CUDA=on"' in hint
