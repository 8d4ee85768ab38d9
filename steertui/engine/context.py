"""The door to llama.cpp: a context, its KV cache, and one batch a call."""

import ctypes
from dataclasses import dataclass, replace
from typing import Any

import llama_cpp.llama_cpp as ll
import numpy as np
from numpy.typing import NDArray

from steertui.engine.llama import LlamaModel, clear_errors, last_error
from steertui.errors import EngineError

KV_TYPES = {"f32": 0, "f16": 1, "bf16": 30, "q8_0": 8}
"""Numbers of ggml's types that a KV cache may hold (ggml.h)."""

KV_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}
"""Bytes of one value of each type."""


class DecodeError(EngineError):
    """llama.cpp could not compute a batch: the device's memory, or the device."""


@dataclass(frozen=True, slots=True)
class ContextParams:
    """A context's shape.

    Attributes:
        slots: sequences at once.
        slot_tokens: KV cells a slot may fill; who outgrows them waits for longer slots.
        batch: tokens a call of llama_decode may take.
        threads: CPU threads.
        unified: one KV cache for all slots (forks are free) instead of a stream a slot.
        flash: flash attention.
        gpu_layers: layers that go to an accelerator, where the build has one; -1 for all.
        kv_type: what the KV cache holds: "f16", "q8_0", "bf16" or "f32".
        longest: KV cells that a request may need in the end; 0 for no more than `slot_tokens`.
        devices: names of those that share the model's layers, "CPU" for the CPU alone; empty for
            llama.cpp's own choice.
        cell_bytes: of one KV cell; 0 where nobody reckoned it.
    """

    slots: int
    slot_tokens: int
    batch: int = 512
    threads: int = 1
    unified: bool = False
    flash: bool = True
    gpu_layers: int = -1
    kv_type: str = "f16"
    longest: int = 0
    devices: tuple[str, ...] = ()
    cell_bytes: int = 0

    @property
    def most_tokens(self) -> int:
        """KV cells that a request may need in the end."""
        return max(self.slot_tokens, self.longest)

    @property
    def longer(self) -> "ContextParams":
        """The shape of half as many slots, twice as long, for those that outgrew these."""
        tokens = min(self.most_tokens, 2 * self.slot_tokens)
        return replace(self, slots=max(1, self.slots // 2), slot_tokens=tokens)


class LlamaContext:
    """A KV cache for `slots` sequences and the computation over it.

    Raises EngineError where llama.cpp cannot make it.
    """

    def __init__(self, model: LlamaModel, shape: ContextParams) -> None:
        self.n_vocab = model.n_vocab
        params = ll.llama_context_default_params()
        params.n_ctx = shape.slots * shape.slot_tokens
        params.n_batch = params.n_ubatch = shape.batch
        params.n_seq_max = shape.slots
        params.n_threads = params.n_threads_batch = shape.threads
        params.kv_unified = shape.unified
        params.flash_attn_type = 1 if shape.flash else 0
        params.type_k = params.type_v = KV_TYPES[shape.kv_type]
        params.no_perf = True
        clear_errors()
        handle = ll.llama_init_from_model(model.handle, params)
        if not handle:
            raise EngineError(
                f"llama.cpp cannot make a context of {params.n_ctx} tokens ({last_error()}); "
                "ask for fewer --slots or --max-tokens"
            )
        self.handle = handle
        self._memory: Any = ll.llama_get_memory(handle)
        self._make_batch(shape.batch)

    def _make_batch(self, size: int) -> None:
        # Arrays of our own behind the struct: filled by numpy, not one ctypes store a token.
        self._token = np.zeros(size, np.int32)
        self._pos = np.zeros(size, np.int32)
        self._count = np.ones(size, np.int32)
        self._seq = np.zeros(size, np.int32)
        self._wanted = np.zeros(size, np.int8)
        self._seq_at = self._seq.ctypes.data + 4 * np.arange(size, dtype=np.uint64)
        batch = ll.llama_batch()
        batch.token = _pointer(self._token, ctypes.c_int32)
        batch.pos = _pointer(self._pos, ctypes.c_int32)
        batch.n_seq_id = _pointer(self._count, ctypes.c_int32)
        batch.seq_id = _pointer(self._seq_at, ctypes.POINTER(ctypes.c_int32))
        batch.logits = _pointer(self._wanted, ctypes.c_int8)
        self._batch = batch

    def decode(
        self,
        tokens: NDArray[np.int32],
        positions: NDArray[np.int32],
        slots: NDArray[np.int32],
        wanted: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Compute one batch; return logits, a row for each wanted token in the batch's order.

        The array is llama.cpp's own memory: it is valid until the next call.
        """
        n = len(tokens)
        self._token[:n], self._pos[:n] = tokens, positions
        self._seq[:n], self._wanted[:n] = slots, wanted
        self._batch.n_tokens = n
        code = ll.llama_decode(self.handle, self._batch)
        if code != 0:
            raise DecodeError(
                f"llama_decode failed with code {code} on {n} tokens ({last_error()}); "
                "ask for fewer --slots"
            )
        rows = int(wanted.sum())
        if not rows:
            return np.empty((0, self.n_vocab), np.float32)
        logits = ll.llama_get_logits(self.handle)
        return np.ctypeslib.as_array(logits, shape=(rows, self.n_vocab))

    def fork(self, source: int, target: int, length: int) -> None:
        """Let slot `target` hold the first `length` tokens of slot `source`, and nothing else."""
        self.trim(target, 0)
        if length:
            # Between streams llama.cpp copies whole sequences only, so the tail is cut after.
            ll.llama_memory_seq_cp(self._memory, source, target, -1, -1)
            self.trim(target, length)

    def trim(self, slot: int, length: int) -> None:
        """Forget all but the first `length` tokens of a slot.

        Raises EngineError where the model's memory cannot (see `LlamaModel.rewinds`): what stayed
        would be read as if it were the prompt.
        """
        if not ll.llama_memory_seq_rm(self._memory, slot, length, -1):
            raise EngineError(
                f"llama.cpp cannot take a sequence back to {length} tokens with this model; "
                "report this"
            )

    def close(self) -> None:
        """Free the KV cache."""
        if self.handle:
            ll.llama_free(self.handle)
            self.handle = None


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))
