"""The context's shape, chosen from the model, the machine's free memory and the requests."""

from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Literal, Protocol

import psutil

from steertui.engine.context import KV_BYTES, ContextParams
from steertui.engine.device_groups import (
    CPU,
    DeviceGroup,
    Memory,
    choose_groups,
    free_memory,
    memory_of,
    read_groups,
)
from steertui.engine.devices import devices
from steertui.engine.llama import read_number
from steertui.engine.workload import Workload, is_better_unified
from steertui.errors import EngineError

MOST_SLOTS = 32
"""On a CPU; a judgement: more slots cost memory, and two cores have little left to gain."""

MOST_SLOTS_CARD = 128
"""On an accelerator; a judgement, since none was at hand to measure."""

ROUND = 64
MEMORY_SHARE = 0.8
"""Of the free memory, what weights and KV cache may take: a batch's own buffers need some, too."""

APART = 8
"""Slots that a card alone must hold for an engine of its own; with fewer, one engine over all
cards reads the weights less often. A judgement, since no two cards were at hand to measure."""

LEAST_SHARE = 4
"""Slots are at least as long as the longest prompt and this part of the longest answer."""

GIB = 2**30

Layout = Literal["auto", "streams", "unified"]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user insists on; what is left at its default is chosen by `fit`.

    Attributes:
        slots: sequences at once in each engine; 0 to choose.
        threads: CPU threads of each engine; 0 to choose.
        batch_tokens: in a call of llama_decode, at the most; 0 to choose.
        gpu_layers: layers on an accelerator; None to choose.
        layout: of the KV cache.
        flash: flash attention; None to choose.
        kv_type: what the KV cache holds.
        exact: the answers of one slot, whatever the load: one sequence at a time, nothing shared.
        devices: as `read_groups` reads it, an engine for each group; "" to choose.
    """

    slots: int = 0
    threads: int = 0
    batch_tokens: int = 0
    gpu_layers: int | None = None
    layout: Layout = "auto"
    flash: bool | None = None
    kv_type: str = "f16"
    exact: bool = False
    devices: str = ""

    def __post_init__(self) -> None:
        if min(self.slots, self.threads, self.batch_tokens) < 0:
            raise EngineError("--slots, --threads and --batch-tokens: give a number above 0")
        if self.exact and self.slots > 1:
            raise EngineError(f"--exact and --slots {self.slots}: exact is one slot; leave one out")
        if self.flash is False and self.kv_type == "q8_0":
            raise EngineError("--kv-type q8_0 needs flash attention; leave --no-flash out")
        if self.devices:
            read_groups(self.devices, devices())


class HasMetadata(Protocol):
    """What `fit` asks of a model."""

    def meta(self, key: str) -> str:
        """Return a metadata value as text, "" where the key is missing."""


def kv_bytes_per_token(model: HasMetadata, kv_type: str = "f16") -> int:
    """Return the KV cache's bytes for one token: layers × KV heads × (key + value) × a value's."""
    heads = _number(model, "attention.head_count", 1)
    head = _number(model, "embedding_length") // max(heads, 1)
    key = _number(model, "attention.key_length", head)
    value = _number(model, "attention.value_length", head)
    values = layers_of(model) * _number(model, "attention.head_count_kv", heads) * (key + value)
    return int(values * KV_BYTES[kv_type])


def layers_of(model: HasMetadata) -> int:
    """Return the number of layers."""
    return _number(model, "block_count")


def _number(model: HasMetadata, key: str, default: int = 0) -> int:
    text = model.meta(f"{model.meta('general.architecture')}.{key}")
    return read_number(text, default)


def fit(
    model: HasMetadata, weights: int, asked: Workload, wish: Overrides
) -> tuple[ContextParams, ...]:
    """Return a shape for an engine on each group of devices; the model need not be loaded for it.

    Several cards get an engine each where the model and some slots fit each of them. `weights`
    are the file's bytes. Where not all slots that are wanted can hold the longest request at
    once, they are made shorter, and who outgrows them goes on in longer ones after (see
    `Engine`). Raises EngineError where not even one slot fits.
    """
    groups = _groups(model, weights, asked, wish)
    host = free_memory().host
    part = replace(asked, count=ceil(asked.count / len(groups)))
    threads = max(1, (psutil.cpu_count(logical=False) or 1) // len(groups))
    wish = replace(wish, threads=wish.threads or threads)
    return tuple(_shape(model, weights, part, wish, g, memory_of(g, groups, host)) for g in groups)


def _groups(
    model: HasMetadata, weights: int, asked: Workload, wish: Overrides
) -> tuple[DeviceGroup, ...]:
    found = devices()
    if wish.devices:
        return read_groups(wish.devices, found)[: asked.count]
    if wish.gpu_layers == 0:
        return read_groups(CPU, found)
    apart = 1 if wish.exact else min(APART, wish.slots or asked.count)
    slots = apart * _rounded(asked.longest) * kv_bytes_per_token(model, wish.kv_type)
    needed = (weights + slots) / MEMORY_SHARE
    # With some layers on the host, one engine is to have all cards.
    return choose_groups(found, inf if (wish.gpu_layers or -1) > 0 else needed, asked.count)


def _shape(
    model: HasMetadata,
    weights: int,
    asked: Workload,
    wish: Overrides,
    group: DeviceGroup,
    memory: Memory,
) -> ContextParams:
    cell = kv_bytes_per_token(model, wish.kv_type)
    most, layers = share(memory, weights, _rounded(asked.longest) * cell, layers_of(model))
    is_card = bool(memory.accelerator) and layers == -1
    slots, tokens = _slots(asked, wish, most, MOST_SLOTS_CARD if is_card else MOST_SLOTS)
    unified = is_better_unified(asked, slots) and not is_card
    if wish.layout != "auto":
        unified = wish.layout == "unified"
    # Without it answers on a CPU hardly depend on the batch; elsewhere it saves time or memory.
    flash = wish.kv_type == "q8_0" or (not wish.exact and (bool(memory.accelerator) or unified))
    return ContextParams(
        slots=slots,
        slot_tokens=tokens,
        batch=wish.batch_tokens or 512,
        threads=wish.threads,
        unified=unified,
        flash=flash if wish.flash is None else wish.flash,
        gpu_layers=layers if wish.gpu_layers is None else wish.gpu_layers,
        kv_type=wish.kv_type,
        longest=_rounded(asked.longest),
        devices=group.names,
        cell_bytes=cell,
    )


def _slots(asked: Workload, wish: Overrides, fit: int, most: int) -> tuple[int, int]:
    """Return how many slots, and their tokens, where `fit` of full length fit the memory."""
    full = _rounded(asked.longest)
    wanted = 1 if wish.exact else wish.slots or min(most, asked.count)
    if fit >= wanted:
        return wanted, full
    least = _rounded(asked.prompt + (asked.longest - asked.prompt) // LEAST_SHARE)
    tokens = min(full, max(least, fit * full // wanted // ROUND * ROUND))
    return wish.slots or min(wanted, fit * full // tokens), tokens


def _rounded(tokens: int) -> int:
    return -(-tokens // ROUND) * ROUND


def share(memory: Memory, weights: int, slot_bytes: int, layers: int) -> tuple[int, int]:
    """Return how many slots fit, and how many layers to offload (-1 for all).

    All layers go to the accelerator if they and one slot fit there; else as many as their part
    of weights and slot allows, beside the host's memory. Raises EngineError where nothing fits.
    """
    card, host = (int(MEMORY_SHARE * m) for m in (memory.accelerator, memory.host))
    if card and weights + slot_bytes <= card:
        return (card - weights) // max(slot_bytes, 1), -1
    room = card + host
    slots = (room - weights) // max(slot_bytes, 1)
    if slots < 1:
        raise EngineError(
            f"the model's {weights / GIB:.1f} GiB and one slot's {slot_bytes / GIB:.1f} GiB do not "
            f"fit the {(memory.accelerator + memory.host) / GIB:.1f} GiB that are free; take a "
            "smaller quantisation, or lower --max-tokens"
        )
    return slots, layers * card // (weights + slot_bytes) if card else -1
