"""Peak memory bandwidth and matrix throughput of an NVIDIA GPU, from its driver."""

import ctypes
from dataclasses import dataclass

CLOCK_RATE = 13
"""CUdevice_attribute (cuda.h): clock rate in kHz."""

MULTIPROCESSORS = 16
"""CUdevice_attribute: number of multiprocessors."""

MEMORY_CLOCK_RATE = 36
"""CUdevice_attribute: memory clock rate in kHz."""

MEMORY_BUS_WIDTH = 37
"""CUdevice_attribute: memory bus width in bits."""

CAPABILITY_MAJOR = 75
"""CUdevice_attribute: major compute capability."""

CAPABILITY_MINOR = 76
"""CUdevice_attribute: minor compute capability."""

FLOPS_PER_CLOCK = {75: 1024, 80: 2048, 86: 1024, 89: 1024, 90: 4096, 100: 8192, 120: 1024}
"""Dense FP16 tensor core operations per multiprocessor and clock, by compute capability.

With them the formula gives the vendor's figures (A100: 312 TFLOP/s, H100 SXM: 989).
"""


@dataclass(frozen=True)
class Card:
    """Peak figures of a GPU; 0 if unknown.

    Attributes:
        name: the driver's name.
        bandwidth: memory bandwidth in bytes per second.
        flops: dense FP16 operations per second.
    """

    name: str
    bandwidth: float
    flops: float


def card() -> Card | None:
    """Return the first GPU; None without a driver."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device = ctypes.c_int()
    name = ctypes.create_string_buffer(96)
    if cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0):
        return None
    cuda.cuDeviceGetName(name, 96, device)

    def attribute(number: int) -> int:
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device)
        return value.value

    capability = 10 * attribute(CAPABILITY_MAJOR) + attribute(CAPABILITY_MINOR)
    per_clock = FLOPS_PER_CLOCK.get(capability, 0)
    return Card(
        name=name.value.decode(),
        bandwidth=2e3 * attribute(MEMORY_CLOCK_RATE) * attribute(MEMORY_BUS_WIDTH) / 8,
        flops=1e3 * attribute(CLOCK_RATE) * attribute(MULTIPROCESSORS) * per_clock,
    )


def utilisation(weights: int, parameters: int, steps: int, tokens: int, seconds: float) -> str:
    """Return the achieved bandwidth and operations, as a share of the GPU's peak.

    Attention and the KV cache are left out. Of a mixture of experts all weights are counted, which
    is correct for the bytes from about fifty sequences on, and never for the operations.

    Args:
        weights: bytes of the model.
        parameters: number of weights.
        steps: decode batches.
        tokens: tokens decoded, prompts included.
        seconds: wall time.
    """
    bandwidth = steps * weights / seconds
    flops = 2.0 * parameters * tokens / seconds
    achieved = f"weights read at {bandwidth / 1e9:,.1f} GB/s, {flops / 1e12:,.2f} TFLOP/s"
    gpu = card()
    if gpu is None or not gpu.bandwidth or not gpu.flops:
        return f"{achieved} ({gpu.name if gpu else 'no NVIDIA card'})"
    return (
        f"{achieved}: {bandwidth / gpu.bandwidth:.0%} of {gpu.bandwidth / 1e9:,.0f} GB/s and "
        f"{flops / gpu.flops:.0%} of {gpu.flops / 1e12:,.0f} TFLOP/s of {gpu.name}"
    )
