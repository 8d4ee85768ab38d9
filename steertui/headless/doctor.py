"""The Doctor: what this machine can do, and what to mend."""

import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import psutil

from steertui.engine.devices import devices as find_devices
from steertui.engine.process import log_folder
from steertui.sandbox.launch import scrubbed_environment
from steertui.store.connection import SQLITE_VERSION

OK, MEND, NOTE = "✓", "!", "·"

BUILDS = {
    "CUDA": 'CMAKE_ARGS="-DGGML_CUDA=on"',
    "Metal": 'CMAKE_ARGS="-DGGML_METAL=on"',
    "Vulkan": 'CMAKE_ARGS="-DGGML_VULKAN=on"',
}
REBUILD = (
    "python -m pip install --force-reinstall --no-cache-dir --no-deps --no-binary llama-cpp-python "
    "llama-cpp-python=={version}"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: a sign (fine, to be mended, for information) and a line."""

    sign: str
    text: str


def examine() -> Iterator[Finding]:
    """Yield what was found: program, build, devices, memory, disk."""
    llama = version("llama-cpp-python")
    yield Finding(NOTE, f"steertui {version('steertui')}, Python {platform.python_version()}")
    yield Finding(NOTE, f"{platform.system()} {platform.machine()}")
    devices = find_devices()
    kinds = sorted({d.backend for d in devices})
    yield Finding(OK, f"llama-cpp-python {llama}, built for {', '.join(kinds)}")
    for device in devices:
        memory = f", {gib(device.free)} of {gib(device.total)} free" if device.total else ""
        yield Finding(NOTE, f"  {device.name}: {device.description}{memory}")
    yield from _idle({d.backend for d in devices if d.is_accelerator}, llama)
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(".")
    yield Finding(NOTE, f"memory: {gib(memory.available)} of {gib(memory.total)} free")
    yield Finding(
        NOTE, f"cores: {psutil.cpu_count(logical=False)}, disk here: {gib(disk.free)} free"
    )
    yield Finding(NOTE, f"SQLite {SQLITE_VERSION}")
    yield Finding(NOTE, f"the engine's log: {log_folder()}")


def _idle(backends: set[str], llama: str) -> Iterator[Finding]:
    """Name an accelerator that the build cannot use, with the line that mends it."""
    if backends:
        return
    card = nvidia_card()
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    if card:
        yield Finding(MEND, f"{card} sits idle behind a CPU build; {rebuild('CUDA', llama)}")
    elif apple:
        yield Finding(MEND, f"the Apple GPU sits idle; {rebuild('Metal', llama)}")
    else:
        yield Finding(OK, "no accelerator found; models run on the CPU")


def rebuild(kind: str, llama: str) -> str:
    """Return the line that builds llama-cpp-python for an accelerator."""
    return f"build it for {kind}:\n  {BUILDS[kind]} {REBUILD.format(version=llama)}"


def nvidia_card() -> str:
    """Return the NVIDIA card's name as its driver tells it, "" where there is none."""
    program = shutil.which("nvidia-smi")
    if not program:
        return ""
    query = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            query,
            env=scrubbed_environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout else ""


def gib(size: int) -> str:
    """Return bytes as "23.1 GiB"."""
    return f"{size / 2**30:.1f} GiB"
