"""The context's shape, chosen from the model, the machine's free memory and the requests."""

from dataclasses import dataclass

import psutil

from steertui.engine.context import ContextParams
from steertui.engine.llama import LlamaModel
from steertui.errors import EngineError

MOST_SLOTS = 32
ROUND = 64
MEMORY_SHARE = 0.8
"""Of the free memory, what the KV cache may take: the batch's own buffers need some, too."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the user insists on; 0 leaves the choice to `fit`."""

    slots: int = 0
    threads: int = 0
    batch: int = 0


def kv_bytes_per_token(model: LlamaModel) -> int:
    """Return the KV cache's bytes for one token: layers × KV heads × (key + value) × 2 (f16)."""
    arch = model.meta("general.architecture")

    def number(key: str, default: int = 0) -> int:
        text = model.meta(f"{arch}.{key}")
        return int(text) if text.isdigit() else default

    heads = number("attention.head_count", 1)
    head = number("embedding_length") // max(heads, 1)
    key, value = number("attention.key_length", head), number("attention.value_length", head)
    return number("block_count") * number("attention.head_count_kv", heads) * (key + value) * 2


def fit(model: LlamaModel, longest: int, requests: int, wish: Overrides) -> ContextParams:
    """Return a shape in which `longest` tokens fit a slot and all slots fit the memory.

    Raises EngineError where not even one slot fits.
    """
    slot_tokens = -(-longest // ROUND) * ROUND
    slot_bytes = slot_tokens * kv_bytes_per_token(model)
    room = int(psutil.virtual_memory().available * MEMORY_SHARE)
    fitting = room // max(slot_bytes, 1)
    if fitting < 1:
        raise EngineError(
            f"one slot of {slot_tokens} tokens needs {slot_bytes / 2**30:.1f} GiB of KV cache and "
            f"{room / 2**30:.1f} GiB are free; lower --max-tokens or take a smaller model"
        )
    slots = wish.slots or max(1, min(MOST_SLOTS, requests, fitting))
    threads = wish.threads or psutil.cpu_count(logical=False) or 1
    return ContextParams(slots, slot_tokens, wish.batch or 512, threads)
