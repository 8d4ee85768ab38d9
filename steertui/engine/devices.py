"""The door to ggml's devices: what this build of llama.cpp can compute on."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import llama_cpp.llama_cpp  # noqa: F401 (loads ggml's backends)
from llama_cpp._ggml import libggml

GPU, INTEGRATED = 1, 2
"""Of ggml_backend_dev_type; 0 is a CPU, 3 what helps one (BLAS, AMX)."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that computes: its name, its backend ("CUDA", "CPU"), bytes free and in all."""

    name: str
    backend: str
    description: str
    free: int
    total: int
    is_accelerator: bool
    is_integrated: bool = False


def devices() -> list[Device]:
    """Return the devices that the installed build sees, as ggml orders them."""
    return [_device(handle) for handle in _handles()]


def cards(found: Sequence[Device]) -> list[Device]:
    """Return those that llama.cpp uses by itself: GPUs, or where there is none the integrated one.

    Of one backend, since two backends of a build may see the same card.
    """
    accelerators = [d for d in found if d.is_accelerator]
    own = [d for d in accelerators if not d.is_integrated] or accelerators
    return [d for d in own if d.backend == own[0].backend]


def for_llama(names: Sequence[str]) -> "ctypes.Array[ctypes.c_void_p]":
    """Return the devices of these names as llama.cpp takes them: handles with a null behind.

    The CPU is left out: llama.cpp always has it.
    """
    by_name = {_text("ggml_backend_dev_name", h): h for h in _handles()}
    chosen = [by_name[name] for name in names if name != "CPU"]
    return (ctypes.c_void_p * (len(chosen) + 1))(*chosen, None)


def _handles() -> list[int]:
    count = libggml.ggml_backend_dev_count
    count.restype = ctypes.c_size_t
    get = libggml.ggml_backend_dev_get
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    return [get(i) for i in range(count())]


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
        is_accelerator=int(kind(handle)) in (GPU, INTEGRATED),
        is_integrated=int(kind(handle)) == INTEGRATED,
    )


def _text(function: str, handle: int | None = None) -> str:
    call = getattr(libggml, function)
    call.restype, call.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    return call(handle).decode(errors="replace") if handle else ""
