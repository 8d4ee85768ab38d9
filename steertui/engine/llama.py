"""The door to llama.cpp: a model, its vocabulary and metadata."""

import ctypes
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as ll

from steertui.core.reasoning import REASONING_TOKENS
from steertui.engine.devices import device_handles
from steertui.errors import EngineError, ModelError

Tokens = list[int]
KEPT = frozenset(map(str.encode, REASONING_TOKENS))

_log: list[str] = []


def _keep_log(level: int, text: bytes, _data: object) -> None:
    # llama-cpp-python's own callback writes to stderr, into the middle of a screen.
    if level in (3, 4):
        _log.append(text.decode(errors="replace").strip())
        del _log[:-20]


_callback = ll.llama_log_callback(_keep_log)  # kept alive: llama.cpp holds a bare pointer
ll.llama_log_set(_callback, ctypes.c_void_p(0))
ll.llama_backend_init()


def read_number(text: str, default: int = 0) -> int:
    """Return a metadata value as a number, `default` where it is none."""
    return int(text) if len(text) < 20 and text.isascii() and text.isdecimal() else default


def clear_errors() -> None:
    """Forget what llama.cpp said so far."""
    _log.clear()


def last_error() -> str:
    """Return the reason that llama.cpp's last warnings and errors give."""
    told = [line.rpartition("error loading model: ")[2] for line in _log]
    told = [line for line in told if "failed to load model" not in line]
    return told[-1] if told else "no reason given"


class LlamaModel:
    """A GGUF, whole or (`vocab_only`) only its vocabulary and metadata.

    Raises ModelError where llama.cpp cannot load it, with llama.cpp's reason, and where it is of
    a kind that does not write one token after another.
    """

    def __init__(
        self,
        path: Path,
        *,
        vocab_only: bool = False,
        gpu_layers: int = -1,
        devices: Sequence[str] = (),
    ) -> None:
        params = ll.llama_model_default_params()
        chosen = device_handles(devices)  # kept alive until the model is loaded
        params.devices = ctypes.cast(chosen, ctypes.c_void_p) if devices else None
        params.vocab_only = vocab_only
        params.n_gpu_layers = gpu_layers
        clear_errors()
        handle = ll.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            raise ModelError(
                f"{path}: llama.cpp cannot load it ({last_error()}); "
                "the file may be cut short or of an unknown architecture, get it again"
            )
        self.handle = handle
        self.vocab: Any = ll.llama_model_get_vocab(handle)
        self._pieces: dict[int, bytes] = {}
        if not self._writes:
            self.close()
            raise ModelError(
                f"{path}: a model that encodes or denoises text and does not write it one token "
                "after another; take one for text generation"
            )

    @property
    def _writes(self) -> bool:
        causal = self.meta(f"{self.meta('general.architecture')}.attention.causal")
        has_encoder = ll.llama_model_has_encoder(self.handle)
        return causal != "false" and not has_encoder

    @property
    def rewinds(self) -> bool:
        """Whether a sequence's last tokens can be taken back, and so its beginning be shared.

        Not where all that was read is one state (Mamba, RWKV), in some layers (LFM2, Qwen3-Next)
        or in all: llama_memory_seq_rm takes back the whole of it or nothing.
        """
        is_state = ll.llama_model_is_recurrent(self.handle) or ll.llama_model_is_hybrid(self.handle)
        return not is_state

    def close(self) -> None:
        """Free the weights' memory."""
        if self.handle:
            ll.llama_model_free(self.handle)
            self.handle = None

    @property
    def metadata(self) -> dict[str, str]:
        """All metadata values that are no arrays, as text."""
        buffer = ctypes.create_string_buffer(1 << 10)
        found = {}
        for place in range(ll.llama_model_meta_count(self.handle)):
            ll.llama_model_meta_key_by_index(self.handle, place, buffer, len(buffer))
            key = buffer.value
            found[key.decode(errors="replace")] = self._value(key)
        return found

    def meta(self, key: str) -> str:
        """Return a metadata value as text, "" where the key is missing."""
        return self._value(key.encode())

    def _value(self, key: bytes) -> str:
        size = 1 << 10
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = ll.llama_model_meta_val_str(self.handle, key, buffer, size)
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
        # llama_model_n_ctx_train is 0 after vocab_only.
        length = self.meta(f"{self.meta('general.architecture')}.context_length")
        return read_number(length)

    def token_text(self, token: int) -> str:
        """Return a token as it stands in the vocabulary, "" for none."""
        raw = ll.llama_vocab_get_text(self.vocab, token) if token >= 0 else b""
        return (raw or b"").decode(errors="replace")

    @property
    def bos(self) -> str:
        """The beginning-of-sequence token's text, "" for none."""
        return self.token_text(ll.llama_vocab_bos(self.vocab))

    @property
    def eos(self) -> str:
        """The end-of-sequence token's text, "" for none."""
        return self.token_text(ll.llama_vocab_eos(self.vocab))

    @cached_property
    def control_texts(self) -> frozenset[str]:
        """What control tokens look like: text of this form inside a prompt is read as they are."""
        is_control = ll.llama_vocab_is_control
        found = (t for t in range(self.n_vocab) if is_control(self.vocab, t))
        return frozenset(map(self.token_text, found))

    @cached_property
    def end_tokens(self) -> frozenset[int]:
        """Every token that ends a generation."""
        is_end = ll.llama_vocab_is_eog
        return frozenset(t for t in range(self.n_vocab) if is_end(self.vocab, t))

    @cached_property
    def eos_tokens(self) -> frozenset[int]:
        """The tokenizer's own end-of-sequence token, alone; raises EngineError where it has none.

        Of the base models of Qwen3 it is <|endoftext|>, and llama.cpp also ends at <|im_end|>.
        """
        token = int(ll.llama_vocab_eos(self.vocab))
        if token < 0:
            raise EngineError(
                'the vocabulary names no end-of-sequence token; set stop_tokens = "any"'
            )
        return frozenset({token})

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
            found = shown if shown in KEPT else self._render(token, special=False)
            self._pieces[token] = found
        return found

    def _render(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(512)
        n = ll.llama_token_to_piece(self.vocab, token, buffer, 512, 0, special)
        return buffer.raw[: max(n, 0)]

    def text(self, tokens: Tokens) -> str:
        """Return the tokens' text; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(map(self.piece, tokens)).decode(errors="replace")
