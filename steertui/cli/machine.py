"""Options of the local engine, shared by all commands that load a model."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click
import cloup

if TYPE_CHECKING:
    from steertui.engine.sizing import Overrides

_TITLE = "Local engine (options not given are chosen for this machine and printed)"

_SLOTS = cloup.option(
    "--slots",
    type=int,
    default=0,
    help="Sequences generated at once per engine [default: as many as fit free memory]",
)

_OTHERS = (
    cloup.option(
        "--threads",
        type=int,
        default=0,
        help="CPU threads per engine [default: physical cores, shared by the engines]",
    ),
    cloup.option(
        "--batch-tokens",
        type=int,
        default=0,
        help="Maximum tokens per decode batch [default: 512]",
    ),
    cloup.option(
        "--gpu-layers",
        type=int,
        help="Layers on the accelerator, -1 for all [default: as many as fit]",
    ),
    cloup.option(
        "--devices",
        default="",
        help="Device groups, one engine each: CUDA0,CUDA1 for two engines, CUDA0+CUDA1 for one on "
        "both devices, or cpu [default: chosen by memory]",
    ),
    cloup.option(
        "--kv-layout",
        "layout",
        type=click.Choice(["auto", "per-slot", "unified"]),
        default="auto",
        show_default=True,
        help="KV cache: one per slot, one for all slots, or whichever is faster",
    ),
    cloup.option(
        "--kv-type",
        type=click.Choice(["f16", "q8_0", "bf16", "f32"]),
        default="f16",
        show_default=True,
        help="Number format of the KV cache",
    ),
    cloup.option(
        "--flash/--no-flash",
        "flash",
        default=None,
        help="Flash attention [default: if it saves time or memory]",
    ),
    cloup.option(
        "--deterministic",
        is_flag=True,
        help="Use one slot, so that answers do not depend on the load; slower",
    ),
)

machine_options = cloup.option_group(_TITLE, _SLOTS, *_OTHERS)
"""Decorator that adds the options to a command."""

machine_options_without_slots = cloup.option_group(_TITLE, *_OTHERS)
"""Decorator that adds all options but `--slots`, for commands that define their own."""


def take_overrides(given: dict[str, Any]) -> Overrides:
    """Remove the engine's options from a command's parameters and return their values."""
    from steertui.engine.sizing import Overrides

    names = [field.name for field in fields(Overrides) if field.name in given]
    return Overrides(**{name: given.pop(name) for name in names})
