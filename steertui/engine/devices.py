"""The door to ggml's devices: what this build of llama.cpp can compute on."""

import ctypes
from dataclasses import dataclass

import llama_cpp.llama_cpp  # noqa: F401 (loads ggml's backends)
from llama_cpp._ggml import libggml

CPU = 0
"""GGML_BACKEND_DEVICE_TYPE_CPU; 1 is a GPU, 2 an integrated GPU, 3 an accelerator like BLAS."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that computes: its name, its backend ("CUDA", "CPU"), bytes free and in all."""

    name: str
    backend: str
    description: str
    free: int
    total: int
    is_accelerator: bool


def devices() -> list[Device]:
    """Return the devices that the installed build sees, as ggml orders them."""
    count = libggml.ggml_backend_dev_count
    count.restype = ctypes.c_size_t
    get = libggml.ggml_backend_dev_get
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    return [_device(get(i)) for i in range(count())]


def _device(handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    memory = libggml.ggml_backend_dev_memory
    memory.argtypes = [ctypes.c_void_p, *[ctypes.POINTER(ctypes.c_size_t)] * 2]
    memory(handle, ctypes.byref(free), ctypes.byref(total))
    kind = libggml.ggml_backend_dev_type
    kind.argtypes = [ctypes.c_void_p]
    registry = libggml.ggml_backend_dev_backend_reg
    registry.restype, registry.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return Device(
        name=_text("ggml_backend_dev_name", handle),
        backend=_text("ggml_backend_reg_name", registry(handle)),
        description=_text("ggml_backend_dev_description", handle),
        free=free.value,
        total=total.value,
        is_accelerator=int(kind(handle)) in (1, 2),
    )


def _text(function: str, handle: int | None = None) -> str:
    call = getattr(libggml, function)
    call.restype, call.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    return call(handle).decode(errors="replace") if handle else ""
