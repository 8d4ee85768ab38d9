"""The Card: an NVIDIA GPU's peak memory bandwidth and matrix rate, by its driver."""

import ctypes
from dataclasses import dataclass

CLOCK, PROCESSORS, MEMORY_CLOCK, BUS, MAJOR, MINOR = 13, 16, 36, 37, 75, 76
"""CUdevice_attribute (cuda.h): kHz, a count, kHz, bits, and the compute capability."""

FLOPS = {75: 1024, 80: 2048, 86: 1024, 89: 1024, 90: 4096, 100: 8192, 120: 1024}
"""Dense FP16 operations of a multiprocessor's tensor cores in a clock, by compute capability;
with them the formula gives the vendor's figures (A100: 312 TFLOP/s, H100 SXM: 989)."""


@dataclass(frozen=True)
class Card:
    """What a card can do at most: bytes a second, operations a second; 0 where unknown."""

    name: str
    bandwidth: float
    flops: float


def card() -> Card | None:
    """Return the first card, None where there is no driver."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, name = ctypes.c_int(), ctypes.create_string_buffer(96)
    if cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0):
        return None
    cuda.cuDeviceGetName(name, 96, device)

    def told(attribute: int) -> int:
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        return value.value

    per_clock = FLOPS.get(10 * told(MAJOR) + told(MINOR), 0)
    return Card(
        name=name.value.decode(),
        bandwidth=2e3 * told(MEMORY_CLOCK) * told(BUS) / 8,
        flops=1e3 * told(CLOCK) * told(PROCESSORS) * per_clock,
    )


def used(weights: int, parameters: int, steps: int, tokens: int, seconds: float) -> str:
    """Say what a job asked of the machine: weights read, operations, beside the card's peaks.

    Attention and the KV cache are left out; of a mixture of experts all weights are counted,
    which is true of the bytes from about fifty sequences on and of the operations never.
    """
    bandwidth, flops = steps * weights / seconds, 2.0 * parameters * tokens / seconds
    line = f"weights read at {bandwidth / 1e9:,.1f} GB/s, {flops / 1e12:,.2f} TFLOP/s"
    found = card()
    if found is None or not found.bandwidth or not found.flops:
        return f"{line} ({found.name if found else 'no NVIDIA card'})"
    return (
        f"{line}: {bandwidth / found.bandwidth:.0%} of {found.bandwidth / 1e9:,.0f} GB/s and "
        f"{flops / found.flops:.0%} of {found.flops / 1e12:,.0f} TFLOP/s of {found.name}"
    )
