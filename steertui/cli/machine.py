"""Options that say how a model lies on this machine, the same for every command that loads one."""

from typing import Any

import click
import cloup

machine_options = cloup.option_group(
    "This machine (chosen, and printed, where not given)",
    cloup.option("--slots", type=int, default=0, help="Answers written at once."),
    cloup.option("--threads", type=int, default=0, help="CPU threads."),
    cloup.option("--batch-tokens", type=int, default=0, help="Tokens a batch; 512."),
    cloup.option("--gpu-layers", type=int, help="Layers on the accelerator."),
    cloup.option("--devices", default="",
                 help="CUDA0,CUDA1: an engine on each; CUDA0+CUDA1: one on both; cpu."),
    cloup.option("--kv-layout", "layout", type=click.Choice(["auto", "streams", "unified"]),
                 default="auto", help="A KV cache a slot, or one for all."),
    cloup.option("--kv-type", type=click.Choice(["f16", "q8_0", "bf16", "f32"]), default="f16",
                 help="Number format of the KV cache."),
    cloup.option("--flash/--no-flash", "flash", default=None, help="Flash attention."),
    cloup.option("--exact", is_flag=True,
                 help="One slot: the same answers whatever the load, but slower."),
)  # fmt: skip
"""Gives a command the options."""


def take_overrides(given: dict[str, Any]) -> Any:
    """Take the options out of what a command was given."""
    from steertui.engine.sizing import Overrides

    names = (
        "slots",
        "threads",
        "batch_tokens",
        "gpu_layers",
        "layout",
        "flash",
        "kv_type",
        "exact",
        "devices",
    )
    return Overrides(**{name: given.pop(name) for name in names})
