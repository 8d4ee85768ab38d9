"""Model of a decode step on accelerators: decode, copied logits, sampling on the host.

    python -m benchmarks.accelerator_model [--slots 32 128]

Nothing here is measured on an accelerator. Assumptions: weights are read once per step at 70 % of
the peak bandwidth, matrices are multiplied at 40 % of the dense FP16 peak, the longer of the two
counts, and attention is left out; logits cross PCIe at 80 % of its peak; sampling takes one host
thread the time per row that `benchmarks.sampling` measures (--row-ms).
"""

import argparse
from dataclasses import dataclass

VOCABULARY = 151_936

BANDWIDTH_REACHED = 0.7
FLOPS_REACHED = 0.4
PCIE_REACHED = 0.8


@dataclass(frozen=True)
class Accelerator:
    """Peak figures of the vendor: bytes per second of memory and PCIe, dense FP16 operations."""

    name: str
    bandwidth: float
    flops: float
    pcie: float


ACCELERATORS = (
    Accelerator("A100 80 GB SXM", 2.04e12, 312e12, 31.5e9),
    Accelerator("H100 SXM", 3.35e12, 989e12, 63e9),
)

MODELS = {"Qwen3-0.6B Q4_K_M": (0.6e9, 0.4e9), "Qwen3-4B Q4_K_M": (4.0e9, 2.5e9)}
"""Number of weights and bytes of a model."""


def main() -> None:
    """Print the milliseconds of each part of a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slots", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--row-ms", type=float, default=0.13, help="sampling per row, one thread")
    options = parser.parse_args()
    print("| accelerator | model | slots | decode | logits copied | sampling | sampling's share |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for accelerator in ACCELERATORS:
        for name, (weights, size) in MODELS.items():
            for slots in options.slots:
                reading = size / (BANDWIDTH_REACHED * accelerator.bandwidth)
                computing = 2 * weights * slots / (FLOPS_REACHED * accelerator.flops)
                decode = 1e3 * max(reading, computing)
                copy = 1e3 * 4 * VOCABULARY * slots / (PCIE_REACHED * accelerator.pcie)
                sampling = options.row_ms * slots
                share = sampling / (decode + copy + sampling)
                print(
                    f"| {accelerator.name} | {name} | {slots} | {decode:.1f} ms | {copy:.1f} ms "
                    f"| {sampling:.1f} ms | {share:.0%} |"
                )


if __name__ == "__main__":
    main()
