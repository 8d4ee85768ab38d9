"""The context's shape, chosen from the model, the machine's free memory and the requests."""

from dataclasses import dataclass

import psutil

from steertui.engine.context import ContextParams
from steertui.engine.devices import devices
from steertui.engine.llama import LlamaModel
from steertui.errors import EngineError

MOST_SLOTS = 32
ROUND = 64
MEMORY_SHARE = 0.8
"""Of the free memory, what weights and KV cache may take: a batch's own buffers need some, too."""

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user insists on; 0 leaves the choice to `fit`."""

    slots: int = 0
    threads: int = 0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes free: of the accelerators together (0 where there is none), and of the host."""

    accelerator: int
    host: int


def free_memory() -> Memory:
    """Return what is free now."""
    cards = sum(d.free for d in devices() if d.is_accelerator)
    return Memory(cards, int(psutil.virtual_memory().available))


def kv_bytes_per_token(model: LlamaModel) -> int:
    """Return the KV cache's bytes for one token: layers × KV heads × (key + value) × 2 (f16)."""
    heads = _number(model, "attention.head_count", 1)
    head = _number(model, "embedding_length") // max(heads, 1)
    key = _number(model, "attention.key_length", head)
    value = _number(model, "attention.value_length", head)
    return layers_of(model) * _number(model, "attention.head_count_kv", heads) * (key + value) * 2


def layers_of(model: LlamaModel) -> int:
    """Return the number of layers."""
    return _number(model, "block_count")


def _number(model: LlamaModel, key: str, default: int = 0) -> int:
    text = model.meta(f"{model.meta('general.architecture')}.{key}")
    return int(text) if text.isdigit() else default


def fit(
    model: LlamaModel, weights: int, longest: int, requests: int, wish: Overrides
) -> ContextParams:
    """Return a shape in which `longest` tokens fit a slot and weights and slots fit the memory.

    `weights` are the file's bytes; the model may be loaded without them. Raises EngineError
    where not even one slot fits.
    """
    slot_tokens = -(-longest // ROUND) * ROUND
    slot_bytes = slot_tokens * kv_bytes_per_token(model)
    slots, layers = share(free_memory(), weights, slot_bytes, layers_of(model))
    slots = wish.slots or max(1, min(MOST_SLOTS, requests, slots))
    threads = wish.threads or psutil.cpu_count(logical=False) or 1
    return ContextParams(slots, slot_tokens, wish.batch or 512, threads, gpu_layers=layers)


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
