"""ggml devices that this build of llama.cpp can use."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import llama_cpp.llama_cpp  # noqa: F401 (loads ggml's backends)
from llama_cpp._ggml import libggml

GPU = 1
"""ggml_backend_dev_type of a GPU; 0 is a CPU, 3 an accelerator library for one (BLAS, AMX)."""

INTEGRATED = 2
"""ggml_backend_dev_type of an integrated GPU."""


@dataclass(frozen=True, slots=True)
class Device:
    """A ggml device.

    Attributes:
        name: llama.cpp's name, such as "CUDA0" or "CPU".
        backend: "CUDA", "Vulkan", "CPU" and so on.
        description: the device's model name.
        free: free memory in bytes.
        total: memory in bytes.
        is_accelerator: whether it is a GPU, integrated or not.
        is_integrated: whether it is an integrated GPU.
    """

    name: str
    backend: str
    description: str
    free: int
    total: int
    is_accelerator: bool
    is_integrated: bool = False


def devices() -> list[Device]:
    """Return the devices of the installed build in ggml's order."""
    return [_device(handle) for handle in _handles()]


def default_accelerators(available: Sequence[Device]) -> list[Device]:
    """Return the accelerators that llama.cpp uses by default.

    These are the GPUs of one backend (two backends of a build may list the same card), or an
    integrated GPU if there is no other.
    """
    accelerators = [d for d in available if d.is_accelerator]
    preferred = [d for d in accelerators if not d.is_integrated] or accelerators
    return [d for d in preferred if d.backend == preferred[0].backend]


def device_handles(names: Sequence[str]) -> "ctypes.Array[ctypes.c_void_p]":
    """Return the null-terminated array of device handles that llama.cpp takes.

    The CPU is left out: llama.cpp always uses it.
    """
    by_name = {_text("ggml_backend_dev_name", handle): handle for handle in _handles()}
    chosen = [by_name[name] for name in names if name != "CPU"]
    return (ctypes.c_void_p * (len(chosen) + 1))(*chosen, None)


def _handles() -> list[int]:
    count = libggml.ggml_backend_dev_count
    count.restype = ctypes.c_size_t
    get = libggml.ggml_backend_dev_get
    get.restype = ctypes.c_void_p
    get.argtypes = [ctypes.c_size_t]
    return [get(i) for i in range(count())]


def _device(handle: int) -> Device:
    free = ctypes.c_size_t()
    total = ctypes.c_size_t()
    memory = libggml.ggml_backend_dev_memory
    memory.argtypes = [ctypes.c_void_p, *[ctypes.POINTER(ctypes.c_size_t)] * 2]
    memory(handle, ctypes.byref(free), ctypes.byref(total))
    kind = libggml.ggml_backend_dev_type
    kind.argtypes = [ctypes.c_void_p]
    registry = libggml.ggml_backend_dev_backend_reg
    registry.restype = ctypes.c_void_p
    registry.argtypes = [ctypes.c_void_p]
    return Device(
        name=_text("ggml_backend_dev_name", handle),
        backend=_text("ggml_backend_reg_name", registry(handle)),
        description=_text("ggml_backend_dev_description", handle),
        free=free.value,
        total=total.value,
        is_accelerator=int(kind(handle)) in (GPU, INTEGRATED),
        is_integrated=int(kind(handle)) == INTEGRATED,
    )


def _text(function: str, handle: int | None = None) -> str:
    call = getattr(libggml, function)
    call.restype = ctypes.c_char_p
    call.argtypes = [ctypes.c_void_p]
    return call(handle).decode(errors="replace") if handle else ""
