"""llama.cpp contexts: KV cache, and decoding of one batch per call."""

import ctypes
from dataclasses import dataclass, replace
from typing import Any

import llama_cpp.llama_cpp as ll
import numpy as np
from numpy.typing import NDArray

from steertui.engine.llama import LlamaModel, clear_errors, last_error
from steertui.errors import EngineError

KV_TYPES = {"f32": 0, "f16": 1, "bf16": 30, "q8_0": 8}
"""ggml type numbers of the KV cache types (ggml.h)."""

KV_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32}
"""Bytes per value of each KV cache type."""


class DecodeError(EngineError):
    """llama.cpp could not decode a batch: out of memory, or a device failure."""


@dataclass(frozen=True, slots=True)
class ContextParams:
    """Parameters of a llama.cpp context.

    Attributes:
        slots: sequences at once.
        slot_tokens: KV cells per slot; a sequence that needs more waits for longer slots.
        batch: maximum tokens per call of llama_decode.
        threads: CPU threads.
        unified: one KV cache for all slots, in which a fork copies nothing, instead of one stream
            per slot.
        flash: flash attention.
        gpu_layers: layers on an accelerator, if the build supports one; -1 for all.
        kv_type: type of the KV cache: "f16", "q8_0", "bf16" or "f32".
        longest: KV cells that the longest request may need; 0 if `slot_tokens` is enough.
        devices: names of the devices that share the layers, "CPU" for the CPU alone; empty for
            llama.cpp's default.
        cell_bytes: bytes of one KV cell; 0 if unknown.
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
    def max_request_tokens(self) -> int:
        """KV cells that the longest request may need."""
        return max(self.slot_tokens, self.longest)

    def with_longer_slots(self) -> "ContextParams":
        """Return a context with half as many slots of twice the length."""
        tokens = min(self.max_request_tokens, 2 * self.slot_tokens)
        return replace(self, slots=max(1, self.slots // 2), slot_tokens=tokens)


class LlamaContext:
    """KV cache of several sequences, and the model's computation over it.

    Raises EngineError if llama.cpp cannot create the context.
    """

    def __init__(self, model: LlamaModel, shape: ContextParams) -> None:
        self.n_vocab = model.n_vocab
        params = ll.llama_context_default_params()
        params.n_ctx = shape.slots * shape.slot_tokens
        params.n_batch = shape.batch
        params.n_ubatch = shape.batch
        params.n_seq_max = shape.slots
        params.n_threads = shape.threads
        params.n_threads_batch = shape.threads
        params.kv_unified = shape.unified
        params.flash_attn_type = 1 if shape.flash else 0
        params.type_k = KV_TYPES[shape.kv_type]
        params.type_v = KV_TYPES[shape.kv_type]
        params.no_perf = True
        clear_errors()
        handle = ll.llama_init_from_model(model.handle, params)
        if not handle:
            raise EngineError(
                f"llama.cpp cannot create a context of {params.n_ctx} tokens ({last_error()}); "
                "use fewer --slots or fewer maximum tokens"
            )
        self.handle = handle
        self._memory: Any = ll.llama_get_memory(handle)
        self._allocate_batch(shape.batch)

    def _allocate_batch(self, size: int) -> None:
        # The struct points to numpy arrays: filling these is faster than one ctypes store per
        # token.
        self._token = np.zeros(size, np.int32)
        self._pos = np.zeros(size, np.int32)
        self._sequence_counts = np.ones(size, np.int32)
        self._seq = np.zeros(size, np.int32)
        self._needs_logits = np.zeros(size, np.int8)
        self._seq_pointers = self._seq.ctypes.data + 4 * np.arange(size, dtype=np.uint64)
        batch = ll.llama_batch()
        batch.token = _pointer(self._token, ctypes.c_int32)
        batch.pos = _pointer(self._pos, ctypes.c_int32)
        batch.n_seq_id = _pointer(self._sequence_counts, ctypes.c_int32)
        batch.seq_id = _pointer(self._seq_pointers, ctypes.POINTER(ctypes.c_int32))
        batch.logits = _pointer(self._needs_logits, ctypes.c_int8)
        self._batch = batch

    def decode(
        self,
        tokens: NDArray[np.int32],
        positions: NDArray[np.int32],
        slots: NDArray[np.int32],
        needs_logits: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Decode one batch.

        Args:
            tokens: token ids, shape (n,).
            positions: position of each token in its sequence, shape (n,).
            slots: slot of each token, shape (n,).
            needs_logits: whether the logits after each token are needed, shape (n,).

        Returns:
            Logits, shape (number of tokens that need them, vocabulary), in the batch's order. The
            array is llama.cpp's memory and valid until the next call.

        Raises:
            DecodeError: llama_decode failed.
        """
        n = len(tokens)
        self._token[:n] = tokens
        self._pos[:n] = positions
        self._seq[:n] = slots
        self._needs_logits[:n] = needs_logits
        self._batch.n_tokens = n
        code = ll.llama_decode(self.handle, self._batch)
        if code != 0:
            raise DecodeError(
                f"llama_decode failed with code {code} on {n} tokens ({last_error()}); "
                "use fewer --slots"
            )
        rows = int(needs_logits.sum())
        if not rows:
            return np.empty((0, self.n_vocab), np.float32)
        logits = ll.llama_get_logits(self.handle)
        return np.ctypeslib.as_array(logits, shape=(rows, self.n_vocab))

    def fork(self, source: int, target: int, length: int) -> None:
        """Replace slot `target` by the first `length` tokens of slot `source`."""
        self.trim(target, 0)
        if length:
            # Between streams llama.cpp copies only whole sequences, so the tail is removed
            # afterwards.
            ll.llama_memory_seq_cp(self._memory, source, target, -1, -1)
            self.trim(target, length)

    def trim(self, slot: int, length: int) -> None:
        """Remove all but the first `length` tokens of a slot.

        Raises EngineError if the model's memory does not support it (see
        `LlamaModel.can_truncate`); the remaining state would act as a prompt.
        """
        if not ll.llama_memory_seq_rm(self._memory, slot, length, -1):
            raise EngineError(
                f"llama.cpp cannot truncate a sequence to {length} tokens with this model; "
                "please report this"
            )

    def clear(self) -> None:
        """Remove all sequences and set the KV cache to zero."""
        ll.llama_memory_clear(self._memory, True)

    def close(self) -> None:
        """Free the KV cache."""
        if self.handle:
            ll.llama_free(self.handle)
            self.handle = None


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))
