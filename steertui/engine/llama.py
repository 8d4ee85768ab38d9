"""The only door to llama.cpp: a model, a context, and one batch a call."""

import ctypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as ll
import numpy as np
from numpy.typing import NDArray

from steertui.errors import EngineError, ModelError

Tokens = list[int]
THINK_MARKS = (b"<think>", b"</think>")

_log: list[str] = []


def _keep_log(level: int, text: bytes, _data: object) -> None:
    # llama-cpp-python's own callback writes to stderr, into the middle of a screen.
    if level in (3, 4):
        _log.append(text.decode(errors="replace").strip())
        del _log[:-20]


_callback = ll.llama_log_callback(_keep_log)  # kept alive: llama.cpp holds a bare pointer
ll.llama_log_set(_callback, ctypes.c_void_p(0))
ll.llama_backend_init()


def last_complaint() -> str:
    """Return llama.cpp's last warning or error, "" if there was none."""
    return _log[-1] if _log else "no reason given"


class LlamaModel:
    """A GGUF, whole or (`vocab_only`) only its vocabulary and metadata.

    Raises ModelError where llama.cpp cannot load it, with llama.cpp's reason.
    """

    def __init__(self, path: Path, *, vocab_only: bool = False, gpu_layers: int = -1) -> None:
        params = ll.llama_model_default_params()
        params.vocab_only = vocab_only
        params.n_gpu_layers = gpu_layers
        _log.clear()
        handle = ll.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            raise ModelError(
                f"{path}: llama.cpp cannot load it ({last_complaint()}); "
                "the file may be cut short or of an unknown architecture, get it again"
            )
        self.handle = handle
        self.vocab: Any = ll.llama_model_get_vocab(handle)
        self._pieces: dict[int, bytes] = {}

    def close(self) -> None:
        """Free the weights' memory."""
        if self.handle:
            ll.llama_model_free(self.handle)
            self.handle = None

    def meta(self, key: str) -> str:
        """Return a metadata value as text, "" where the key is missing."""
        size = 1 << 10
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = ll.llama_model_meta_val_str(self.handle, key.encode(), buffer, size)
            if length < size:
                return buffer.value.decode(errors="replace") if length >= 0 else ""
            size = length + 1

    @property
    def description(self) -> str:
        """Architecture, size and quantisation in llama.cpp's words: "qwen3 4B Q4_K - Medium"."""
        buffer = ctypes.create_string_buffer(256)
        ll.llama_model_desc(self.handle, buffer, 256)
        return buffer.value.decode(errors="replace")

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return int(ll.llama_model_n_params(self.handle))

    @property
    def n_vocab(self) -> int:
        """Tokens in the vocabulary."""
        return int(ll.llama_vocab_n_tokens(self.vocab))

    @property
    def context_trained(self) -> int:
        """Longest context the model was trained for, in tokens."""
        return int(ll.llama_model_n_ctx_train(self.handle))

    def token_text(self, token: int) -> str:
        """Return a token as it stands in the vocabulary, "" for none."""
        return ll.llama_vocab_get_text(self.vocab, token).decode() if token >= 0 else ""

    @property
    def bos(self) -> str:
        """The beginning-of-sequence token's text, "" for none."""
        return self.token_text(ll.llama_vocab_bos(self.vocab))

    @property
    def eos(self) -> str:
        """The end-of-sequence token's text, "" for none."""
        return self.token_text(ll.llama_vocab_eos(self.vocab))

    @cached_property
    def end_tokens(self) -> frozenset[int]:
        """Every token that ends a generation."""
        is_end = ll.llama_vocab_is_eog
        return frozenset(t for t in range(self.n_vocab) if is_end(self.vocab, t))

    def tokenize(self, text: str, *, special: bool = True) -> Tokens:
        """Return the text's tokens; `special` reads tokens like <|im_end|> out of the text.

        A beginning-of-sequence token is added where the model asks for one and the text, written
        by a chat template, does not already begin with it.
        """
        raw = text.encode()
        add = bool(ll.llama_vocab_get_add_bos(self.vocab)) and special
        add = add and not (self.bos and text.startswith(self.bos))
        size = len(raw) + 2
        buffer = (ll.llama_token * size)()
        n = ll.llama_tokenize(self.vocab, raw, len(raw), buffer, size, add, special)
        if n < 0:
            raise EngineError(f"llama.cpp cannot tokenise a text of {len(raw)} bytes; report this")
        return list(buffer[:n])

    def piece(self, token: int) -> bytes:
        """Return a token's bytes; control tokens are empty, but for the marks of reasoning."""
        found = self._pieces.get(token)
        if found is None:
            shown = self._render(token, special=True)
            found = shown if shown in THINK_MARKS else self._render(token, special=False)
            self._pieces[token] = found
        return found

    def _render(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(512)
        n = ll.llama_token_to_piece(self.vocab, token, buffer, 512, 0, special)
        return buffer.raw[: max(n, 0)]

    def text(self, tokens: Tokens) -> str:
        """Return the tokens' text; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(map(self.piece, tokens)).decode(errors="replace")


@dataclass(frozen=True, slots=True)
class ContextParams:
    """A context's shape.

    Attributes:
        slots: sequences at once.
        slot_tokens: KV cells a slot may fill.
        batch: tokens a call of llama_decode may take.
        threads: CPU threads.
        unified: one KV cache for all slots (forks are free) instead of a stream a slot.
        flash: flash attention.
    """

    slots: int
    slot_tokens: int
    batch: int = 512
    threads: int = 1
    unified: bool = False
    flash: bool = True


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
        params.no_perf = True
        _log.clear()
        handle = ll.llama_init_from_model(model.handle, params)
        if not handle:
            raise EngineError(
                f"llama.cpp cannot make a context of {params.n_ctx} tokens ({last_complaint()}); "
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
            raise EngineError(
                f"llama_decode failed with code {code} on {n} tokens ({last_complaint()}); "
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
        """Forget all but the first `length` tokens of a slot."""
        ll.llama_memory_seq_rm(self._memory, slot, length, -1)

    def close(self) -> None:
        """Free the KV cache."""
        if self.handle:
            ll.llama_free(self.handle)
            self.handle = None


def _pointer(array: NDArray[Any], kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))
