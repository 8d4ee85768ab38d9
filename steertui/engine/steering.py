"""Steering of a context: control vectors and LoRA adapters, applied by llama.cpp.

A steering applies to all sequences of a context, and KV cells computed under one steering are wrong
under another: requests are grouped by `Steering`, and only requests with an equal one share cells.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as ll
import numpy as np
from numpy.typing import NDArray

from steertui.engine.llama import LlamaModel, clear_errors, last_error
from steertui.errors import EngineError, ModelError


@dataclass(frozen=True, slots=True)
class Steering:
    """A control vector and adapters; equal values steer equally.

    Attributes:
        vector: float32 values, (layers − 1) × width, that are added to the output of the blocks
            from block 1 on, already multiplied by the strength; b"" for none.
        adapters: path and scale of each LoRA adapter; a scale of 0 has no effect.
    """

    vector: bytes = b""
    adapters: tuple[tuple[Path, float], ...] = ()


UNSTEERED = Steering()


def adapters_of(steerings: Sequence[Steering]) -> list[Path]:
    """Return the paths of all adapters, each once."""
    return list(dict.fromkeys(path for steering in steerings for path, _ in steering.adapters))


def control_vector(rows: NDArray[np.float32]) -> bytes:
    """Return the vector of a `Steering` from one row per block; that of block 0 must be zero.

    llama.cpp cannot reach block 0.
    """
    if rows[0].any():
        raise ModelError("a direction for layer 0 cannot be applied by llama.cpp; leave it out")
    return np.ascontiguousarray(rows[1:], "<f4").tobytes() if rows.any() else b""


class SteeredModel:
    """A model with its adapters loaded, which must happen before a context is created.

    Raises ModelError if llama.cpp rejects an adapter; check each with `check_adapter` first.
    """

    def __init__(self, model: LlamaModel, adapters: Sequence[Path] = ()) -> None:
        self.layers = int(ll.llama_model_n_layer(model.handle))
        self.width = int(ll.llama_model_n_embd(model.handle))
        self._adapters: dict[Path, Any] = {}
        for path in adapters:
            clear_errors()
            handle = ll.llama_adapter_lora_init(model.handle, str(path).encode())
            if not handle:
                raise ModelError(
                    f"{path}: llama.cpp cannot load this adapter ({last_error()}); use an adapter "
                    "of this model"
                )
            self._adapters[path] = handle

    def context(self, handle: Any) -> "SteeredContext":
        """Return the steering of a context of this model, without steering at first."""
        return SteeredContext(self, handle)

    def loaded(self, path: Path) -> Any:
        """Return llama.cpp's adapter; raises EngineError for one that was not loaded."""
        if path not in self._adapters:
            raise EngineError(f"{path}: this adapter was not loaded; please report this")
        return self._adapters[path]


class SteeredContext:
    """Current steering of one context.

    Attributes:
        current: the steering that the next call of llama_decode applies.
    """

    def __init__(self, model: SteeredModel, handle: Any) -> None:
        self.current = UNSTEERED
        self._model = model
        self._handle = handle

    def apply(self, steering: Steering) -> None:
        """Apply a steering from the next call of llama_decode on.

        Clear the KV cells of another steering first. Raises EngineError if llama.cpp rejects it.
        """
        if steering == self.current:
            return
        self._set_vector(steering.vector)
        self._set_adapters(steering.adapters)
        self.current = steering

    def _set_vector(self, vector: bytes) -> None:
        layers, width = self._model.layers, self._model.width
        if not vector:
            ll.llama_set_adapter_cvec(self._handle, None, 0, width, 0, 0)
            return
        # A shorter buffer would leave the former vector's later layers active.
        count = (layers - 1) * width
        if len(vector) != 4 * count:
            raise EngineError(
                f"a control vector of {len(vector) // 4} values does not fit a model that takes "
                f"{count}; please report this"
            )
        data = (ctypes.c_float * count).from_buffer_copy(vector)
        code = ll.llama_set_adapter_cvec(self._handle, data, count, width, 1, layers - 1)
        if code != 0:
            raise EngineError(f"llama.cpp rejects a control vector (code {code}; {last_error()})")

    def _set_adapters(self, adapters: Sequence[tuple[Path, float]]) -> None:
        active = [(self._model.loaded(path), scale) for path, scale in adapters if scale]
        handles = (ll.llama_adapter_lora_p_ctypes * len(active))(*(h for h, _ in active))
        scales = (ctypes.c_float * len(active))(*(scale for _, scale in active))
        code = ll.llama_set_adapters_lora(self._handle, handles, len(active), scales)
        if code != 0:
            raise EngineError(f"llama.cpp rejects an adapter (code {code}; {last_error()})")


PROBE_TOKENS = 8
"""Tokens of the prompt that `require_vector_effect` decodes."""


def require_vector_effect(model: LlamaModel) -> None:
    """Raise EngineError unless a control vector changes the logits of a model.

    Some architectures ignore control vectors without a message.
    """
    steered = SteeredModel(model)
    params = ll.llama_context_default_params()
    params.n_ctx = 64
    params.n_batch = 64
    params.no_perf = True
    handle = ll.llama_init_from_model(model.handle, params)
    if not handle:
        raise EngineError(f"llama.cpp cannot create a context ({last_error()}); free some memory")
    try:
        context = steered.context(handle)
        before = _probe(model, handle)
        rows = np.ones((steered.layers, steered.width), np.float32)
        rows[0] = 0.0
        context.apply(Steering(control_vector(rows)))
        after = _probe(model, handle)
    finally:
        ll.llama_free(handle)
    if np.array_equal(before, after):
        raise EngineError(
            f"llama.cpp ignores control vectors for the architecture "
            f"{model.meta('general.architecture')}; steer this model by a suffix or an adapter"
        )


def _probe(model: LlamaModel, handle: Any) -> NDArray[np.float32]:
    """Return the logits after a short prompt, shape (vocabulary,)."""
    ll.llama_memory_clear(ll.llama_get_memory(handle), True)
    count = min(PROBE_TOKENS, model.n_vocab)
    tokens = (ll.llama_token * count)(*range(count))
    if ll.llama_decode(handle, ll.llama_batch_get_one(tokens, count)) != 0:
        raise EngineError(f"llama_decode failed on {count} tokens ({last_error()})")
    logits = ll.llama_get_logits_ith(handle, -1)
    return np.ctypeslib.as_array(logits, shape=(model.n_vocab,)).copy()
