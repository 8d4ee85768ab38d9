"""`steertui doctor`: what this machine can do, and the line that mends what it cannot."""

import os
import stat
from importlib.metadata import version
from pathlib import Path

import pytest

from steertui.engine.devices import devices
from steertui.headless.doctor import MEND, examine, nvidia_card, rebuild
from tests.fixtures.program import call


def test_build_devices_and_memory_are_told(tmp_path: Path) -> None:
    code, out, _ = call("doctor", cwd=tmp_path)
    assert code == 0
    assert f"llama-cpp-python {version('llama-cpp-python')}, built for " in out
    assert "GiB free" in out
    assert any(d.backend == "CPU" for d in devices())


def test_an_idle_card_is_named_with_the_line_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(d.is_accelerator for d in devices()):
        pytest.skip("this build uses an accelerator")
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA Test 9000'\n", encoding="utf-8")
    driver.chmod(driver.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert nvidia_card() == "NVIDIA Test 9000"
    (mend,) = [f for f in examine() if f.sign == MEND]
    assert mend.text.startswith("NVIDIA Test 9000 sits idle behind a CPU build; build it for CUDA")
    assert rebuild("CUDA", version("llama-cpp-python")) in mend.text
    assert '-DGGML_CUDA=on"' in mend.text
