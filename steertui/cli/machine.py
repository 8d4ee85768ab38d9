"""Options that say how a model lies on this machine, the same for every command that loads one."""

from collections.abc import Callable
from typing import Any

import click

OPTIONS = (
    click.option("--slots", type=int, default=0, help="Sequences at once; chosen if not given."),
    click.option("--threads", type=int, default=0, help="CPU threads; chosen if not given."),
    click.option("--batch-tokens", type=int, default=0, help="Tokens a batch; 512."),
    click.option("--gpu-layers", type=int, help="Layers on the accelerator; chosen if not given."),
    click.option("--kv-layout", "layout", type=click.Choice(["auto", "streams", "unified"]),
                 default="auto", help="A KV cache a slot, or one for all."),
    click.option("--kv-type", type=click.Choice(["f16", "q8_0", "bf16", "f32"]), default="f16",
                 help="What the KV cache holds."),
    click.option("--flash/--no-flash", "flash", default=None, help="Flash attention."),
    click.option("--devices", default="",
                 help="CUDA0,CUDA1: an engine on each; CUDA0+CUDA1: one on both; cpu."),
    click.option("--exact", is_flag=True, help="The answers of one slot, at one slot's speed."),
)  # fmt: skip


def machine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


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
