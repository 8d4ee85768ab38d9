"""Check of the machine: build, devices, memory, disk, and how to fix what is missing."""

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

OK = "✓"
PROBLEM = "!"
NOTE = "·"

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
    """One finding.

    Attributes:
        sign: `OK`, `PROBLEM` or `NOTE`.
        text: one line; a problem names its fix.
    """

    sign: str
    text: str


def examine() -> Iterator[Finding]:
    """Yield findings on versions, build, devices, memory and disk."""
    llama = version("llama-cpp-python")
    yield Finding(NOTE, f"steertui {version('steertui')}, Python {platform.python_version()}")
    yield Finding(NOTE, f"{platform.system()} {platform.machine()}")
    devices = find_devices()
    kinds = sorted({d.backend for d in devices})
    yield Finding(OK, f"llama-cpp-python {llama}, built for {', '.join(kinds)}")
    for device in devices:
        # llama.cpp calls all memory of a CPU free; the line on memory has what is.
        is_known = device.total and device.is_accelerator
        free = f", {gib(device.free)} of {gib(device.total)} free" if is_known else ""
        yield Finding(NOTE, f"  {device.name}: {device.description}{free}")
    yield from _check_accelerator({d.backend for d in devices if d.is_accelerator}, llama)
    memory = psutil.virtual_memory()
    yield Finding(NOTE, f"memory: {gib(memory.available)} of {gib(memory.total)} free")
    disk = shutil.disk_usage(".")
    cores = psutil.cpu_count(logical=False)
    yield Finding(NOTE, f"cores: {cores}, disk of this folder: {gib(disk.free)} free")
    yield Finding(NOTE, f"SQLite {SQLITE_VERSION}")
    yield Finding(NOTE, f"engine logs: {log_folder()}")


def _check_accelerator(backends: set[str], llama: str) -> Iterator[Finding]:
    """Yield whether the machine has an accelerator that the build does not use."""
    if backends:
        return
    card = nvidia_card()
    is_apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    if card:
        yield Finding(
            PROBLEM, f"{card} is not used by this CPU build; {rebuild_hint('CUDA', llama)}"
        )
    elif is_apple:
        yield Finding(
            PROBLEM, f"the Apple GPU is not used by this build; {rebuild_hint('Metal', llama)}"
        )
    else:
        yield Finding(OK, "no accelerator found; models run on the CPU")


def rebuild_hint(backend: str, llama: str) -> str:
    """Return the command that builds llama-cpp-python of version `llama` for a backend."""
    return f"rebuild it for {backend}:\n  {BUILDS[backend]} {REBUILD.format(version=llama)}"


def nvidia_card() -> str:
    """Return the name of the NVIDIA card from its driver's nvidia-smi; "" for none."""
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
