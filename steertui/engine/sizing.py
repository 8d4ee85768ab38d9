"""Choice of context parameters from model, free memory, workload and the user's overrides."""

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
    engines_that_fit,
    free_memory,
    group_memory,
    parse_groups,
)
from steertui.engine.devices import devices
from steertui.engine.llama import read_number
from steertui.engine.workload import Workload, is_unified_faster
from steertui.errors import EngineError

MAX_SLOTS_CPU = 32
"""Maximum slots on a CPU: more slots need more memory, and two cores gain little from them."""

MAX_SLOTS_GPU = 128
"""Maximum slots of an engine that has an accelerator for itself."""

SLOT_MULTIPLE = 64
"""Tokens per slot are a multiple of this."""

MEMORY_SHARE = 0.8
"""Share of the free memory for weights and KV cache; compute buffers need some of the rest."""

MIN_SLOTS_PER_GPU = 8
"""Slots that one accelerator must hold to get an engine of its own.

With fewer, one engine on all accelerators reads the weights less often. Not measured: no two
accelerators were available.
"""

MAX_ENGINES_PER_ACCELERATOR = 4
"""Maximum engines on one accelerator.

While one engine samples on the host, the others compute
(docs/decisions/068-engines-per-accelerator.md).
"""

CORES_PER_ENGINE = 2
"""CPU cores that each of several engines on an accelerator must have: one samples."""

SLOTS_PER_ENGINE = 64
"""Maximum slots of each of several engines on an accelerator, which must have memory for them."""

ENGINE_BYTES = 600 * 2**20
"""Accelerator memory of an engine beside weights and KV cache."""

ANSWER_DIVISOR = 4
"""A slot holds at least the longest prompt plus 1 / `ANSWER_DIVISOR` of the longest answer."""

GIB = 2**30
"""Bytes in a GiB."""

Layout = Literal["auto", "per-slot", "unified"]
"""KV cache layout: one cache per slot, or one for all slots."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Engine settings of the user; the rest is chosen by `choose_shapes`.

    Raises EngineError for settings that contradict each other.

    Attributes:
        slots: sequences at once per engine; 0 to choose.
        threads: CPU threads per engine; 0 to choose.
        batch_tokens: maximum tokens per decode batch; 0 for 512.
        gpu_layers: layers on an accelerator, -1 for all; None to choose.
        layout: of the KV cache.
        flash: flash attention; None to choose.
        kv_type: type of the KV cache.
        deterministic: one slot and no prefix sharing, so that answers do not depend on the load.
        devices: device groups as for `parse_groups`, one engine per group; "" to choose.
    """

    slots: int = 0
    threads: int = 0
    batch_tokens: int = 0
    gpu_layers: int | None = None
    layout: Layout = "auto"
    flash: bool | None = None
    kv_type: str = "f16"
    deterministic: bool = False
    devices: str = ""

    def __post_init__(self) -> None:
        if min(self.slots, self.threads, self.batch_tokens) < 0:
            raise EngineError("--slots, --threads and --batch-tokens: give a positive number")
        if self.deterministic and self.slots > 1:
            raise EngineError(
                f"--deterministic and --slots {self.slots}: --deterministic uses one slot; "
                "leave one of them out"
            )
        if self.flash is False and self.kv_type == "q8_0":
            raise EngineError("--kv-type q8_0 needs flash attention; leave --no-flash out")
        if self.devices:
            parse_groups(self.devices, devices())


class HasMetadata(Protocol):
    """Access to a GGUF's metadata, whether or not its weights are loaded."""

    def meta(self, key: str) -> str:
        """Return a metadata value as text, "" if the key is missing."""


def kv_bytes_per_token(model: HasMetadata, kv_type: str = "f16") -> int:
    """Return the bytes of one KV cell.

    That is layers × KV heads × (key length + value length) × bytes per value.
    """
    heads = _metadata_number(model, "attention.head_count", 1)
    head_length = _metadata_number(model, "embedding_length") // max(heads, 1)
    key_length = _metadata_number(model, "attention.key_length", head_length)
    value_length = _metadata_number(model, "attention.value_length", head_length)
    kv_heads = _metadata_number(model, "attention.head_count_kv", heads)
    values = layers_of(model) * kv_heads * (key_length + value_length)
    return int(values * KV_BYTES[kv_type])


def layers_of(model: HasMetadata) -> int:
    """Return the number of layers."""
    return _metadata_number(model, "block_count")


def _metadata_number(model: HasMetadata, key: str, default: int = 0) -> int:
    text = model.meta(f"{model.meta('general.architecture')}.{key}")
    return read_number(text, default)


def choose_shapes(
    model: HasMetadata, weights: int, workload: Workload, overrides: Overrides
) -> tuple[ContextParams, ...]:
    """Return the context parameters of an engine on each group of devices.

    Several accelerators get engines of their own if the model and some slots fit each of them;
    several on each if memory and CPU cores suffice and the user chooses no number of slots. If the
    longest request does not fit all wanted slots at once, slots are shorter, and a sequence that
    outgrows its slot continues later in a longer one (see `Engine`).

    Args:
        model: may be loaded without its weights.
        weights: size of the GGUF file in bytes.
        workload: of all engines together.
        overrides: settings of the user.

    Raises:
        EngineError: not even one slot fits.
    """
    groups = _choose_groups(model, weights, workload, overrides)
    host = free_memory().host
    part = replace(workload, count=ceil(workload.count / len(groups)))
    threads = max(1, (psutil.cpu_count(logical=False) or 1) // len(groups))
    overrides = replace(overrides, threads=overrides.threads or threads)
    return tuple(
        _choose_shape(
            model,
            weights,
            part,
            overrides,
            group=group,
            memory=group_memory(group, groups, host),
            engines=groups.count(group),
        )
        for group in groups
    )


def _choose_groups(
    model: HasMetadata, weights: int, workload: Workload, overrides: Overrides
) -> tuple[DeviceGroup, ...]:
    available = devices()
    if overrides.devices:
        return parse_groups(overrides.devices, available)[: workload.count]
    if overrides.gpu_layers == 0:
        return parse_groups(CPU, available)
    wanted = overrides.slots or workload.count
    slots = 1 if overrides.deterministic else min(MIN_SLOTS_PER_GPU, wanted)
    slot_bytes = _round_up(workload.longest) * kv_bytes_per_token(model, overrides.kv_type)
    needed = (weights + slots * slot_bytes) / MEMORY_SHARE
    # If some layers stay on the host, one engine uses all accelerators.
    is_split = (overrides.gpu_layers or -1) > 0
    groups = choose_groups(available, inf if is_split else needed, workload.count)
    if overrides.slots or is_split:
        return groups
    needed = (weights + SLOTS_PER_ENGINE * slot_bytes) / MEMORY_SHARE + ENGINE_BYTES
    cores = psutil.cpu_count(logical=False) or 1
    limits = (
        MAX_ENGINES_PER_ACCELERATOR,
        int(engines_that_fit(groups, needed)),
        cores // (CORES_PER_ENGINE * len(groups)),
        workload.count // (MIN_SLOTS_PER_GPU * len(groups)),
    )
    return groups * max(1, min(limits))


def _choose_shape(
    model: HasMetadata,
    weights: int,
    workload: Workload,
    overrides: Overrides,
    *,
    group: DeviceGroup,
    memory: Memory,
    engines: int,
) -> ContextParams:
    """Return the parameters of one engine of `engines` on the same devices."""
    cell_bytes = kv_bytes_per_token(model, overrides.kv_type)
    full_length = _round_up(workload.longest)
    fitting, layers = slots_and_layers(memory, weights, full_length * cell_bytes, layers_of(model))
    is_on_gpu = bool(memory.accelerator) and layers == -1
    max_slots_gpu = MAX_SLOTS_GPU if engines == 1 else SLOTS_PER_ENGINE
    max_slots = max_slots_gpu if is_on_gpu else MAX_SLOTS_CPU
    slots, slot_tokens = _choose_slots(workload, overrides, fitting, max_slots)
    unified = is_unified_faster(workload, slots) and not is_on_gpu
    if overrides.layout != "auto":
        unified = overrides.layout == "unified"
    # Without flash attention answers on a CPU hardly depend on the batch. It is chosen only where
    # it saves time or memory.
    saves = bool(memory.accelerator) or unified
    flash = overrides.kv_type == "q8_0" or (not overrides.deterministic and saves)
    return ContextParams(
        slots=slots,
        slot_tokens=slot_tokens,
        batch=overrides.batch_tokens or 512,
        threads=overrides.threads,
        unified=unified,
        flash=flash if overrides.flash is None else overrides.flash,
        gpu_layers=layers if overrides.gpu_layers is None else overrides.gpu_layers,
        kv_type=overrides.kv_type,
        longest=full_length,
        devices=group.names,
        cell_bytes=cell_bytes,
    )


def _choose_slots(
    workload: Workload, overrides: Overrides, fitting: int, max_slots: int
) -> tuple[int, int]:
    """Return the number of slots and the tokens per slot; `fitting` slots of full length fit."""
    full_length = _round_up(workload.longest)
    wanted = 1 if overrides.deterministic else overrides.slots or min(max_slots, workload.count)
    if fitting >= wanted:
        return wanted, full_length
    longest_answer = workload.longest - workload.longest_prompt
    min_length = _round_up(workload.longest_prompt + longest_answer // ANSWER_DIVISOR)
    even_length = fitting * full_length // wanted // SLOT_MULTIPLE * SLOT_MULTIPLE
    length = min(full_length, max(min_length, even_length))
    return overrides.slots or min(wanted, fitting * full_length // length), length


def _round_up(tokens: int) -> int:
    return -(-tokens // SLOT_MULTIPLE) * SLOT_MULTIPLE


def slots_and_layers(memory: Memory, weights: int, slot_bytes: int, layers: int) -> tuple[int, int]:
    """Return how many slots fit, and how many layers to offload (-1 for all, or on a CPU).

    All layers are offloaded if the weights and one slot fit the accelerator. Otherwise the
    accelerator gets as many layers as fit its memory, and the other layers stay in main memory.

    Args:
        memory: free memory.
        weights: bytes of the model.
        slot_bytes: bytes of one slot's KV cache.
        layers: number of layers of the model.

    Raises:
        EngineError: the model and one slot do not fit.
    """
    accelerator = int(MEMORY_SHARE * memory.accelerator)
    host = int(MEMORY_SHARE * memory.host)
    if accelerator and weights + slot_bytes <= accelerator:
        return (accelerator - weights) // max(slot_bytes, 1), -1
    slots = (accelerator + host - weights) // max(slot_bytes, 1)
    if slots < 1:
        free = (memory.accelerator + memory.host) / GIB
        raise EngineError(
            f"the model needs {weights / GIB:.1f} GiB and one slot {slot_bytes / GIB:.1f} GiB, but "
            f"only {free:.1f} GiB are free; use a smaller quantisation, or lower the maximum tokens"
        )
    return slots, layers * accelerator // (weights + slot_bytes) if accelerator else -1
