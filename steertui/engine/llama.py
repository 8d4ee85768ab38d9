"""llama.cpp models: loading, metadata, tokenizer."""

import ctypes
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as ll

from steertui.core.reasoning import REASONING_TOKENS
from steertui.engine.devices import device_handles
from steertui.errors import EngineError, ModelError

LLAMA_VERSION = version("llama-cpp-python")
"""Version of the bindings, which determines that of llama.cpp."""

Tokens = list[int]
REASONING_MARKS = frozenset(map(str.encode, REASONING_TOKENS))
"""Control tokens that stay in the text of an answer."""

_log: list[str] = []


def _on_log(level: int, text: bytes, _data: object) -> None:
    # llama-cpp-python's default callback writes to stderr, which would corrupt a screen.
    if level in (3, 4):
        _log.append(text.decode(errors="replace").strip())
        del _log[:-20]


_callback = ll.llama_log_callback(_on_log)  # llama.cpp has only a pointer to it
ll.llama_log_set(_callback, ctypes.c_void_p(0))
ll.llama_backend_init()


def read_number(text: str, default: int = 0) -> int:
    """Return a metadata value as a number; `default` if it is not one."""
    return int(text) if len(text) < 20 and text.isascii() and text.isdecimal() else default


def clear_errors() -> None:
    """Clear the log of llama.cpp's warnings and errors."""
    _log.clear()


def last_error() -> str:
    """Return the last reason in llama.cpp's warnings and errors."""
    reasons = [line.rpartition("error loading model: ")[2] for line in _log]
    reasons = [reason for reason in reasons if "failed to load model" not in reason]
    return reasons[-1] if reasons else "no reason given"


def _load_warnings() -> tuple[str, ...]:
    """Return llama.cpp's warnings since `clear_errors`, each once, without frames of asterisks."""
    lines = (line.removeprefix("load:").strip() for line in _log)
    return tuple(dict.fromkeys(line for line in lines if line.strip(" *")))


SPECIAL_TOKENS = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "sep_token": "seperator_token_id",  # as the GGUF specification spells it
    "pad_token": "padding_token_id",
    "cls_token": "cls_token_id",
    "mask_token": "mask_token_id",
}
"""Key in a GGUF's metadata, after "tokenizer.ggml.", by the name in transformers."""


class LlamaModel:
    """A loaded GGUF; with `vocab_only` only its vocabulary and metadata.

    Raises ModelError if llama.cpp cannot load the file, with llama.cpp's reason, or if the model is
    not a causal decoder.

    Attributes:
        path: of the GGUF file.
        handle: llama.cpp's model.
        warnings: llama.cpp's warnings about the file, each a sentence of llama.cpp's.
        vocab: llama.cpp's vocabulary.
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
        chosen = device_handles(devices)  # must exist until the model is loaded
        params.devices = ctypes.cast(chosen, ctypes.c_void_p) if devices else None
        params.vocab_only = vocab_only
        params.n_gpu_layers = gpu_layers
        clear_errors()
        handle = ll.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            raise ModelError(
                f"{path}: llama.cpp cannot load it ({last_error()}); "
                "the file may be truncated or of an unknown architecture; download it again"
            )
        self.path = path
        self.warnings = _load_warnings()
        self.handle = handle
        self.vocab: Any = ll.llama_model_get_vocab(handle)
        self._pieces: dict[int, bytes] = {}
        if not self._is_causal_decoder:
            self.close()
            raise ModelError(
                f"{path}: this model encodes or denoises text instead of generating it token by "
                "token; use a model for text generation"
            )

    @property
    def _is_causal_decoder(self) -> bool:
        causal = self.meta(f"{self.meta('general.architecture')}.attention.causal")
        has_encoder = ll.llama_model_has_encoder(self.handle)
        return causal != "false" and not has_encoder

    @property
    def can_truncate(self) -> bool:
        """Whether the last tokens of a sequence can be removed, as prefix sharing requires.

        False for recurrent (Mamba, RWKV) and hybrid models (LFM2, Qwen3-Next): their state covers
        the whole sequence, and llama_memory_seq_rm removes all of it or nothing.
        """
        is_recurrent = ll.llama_model_is_recurrent(self.handle)
        return not (is_recurrent or ll.llama_model_is_hybrid(self.handle))

    def close(self) -> None:
        """Free the memory of the weights."""
        if self.handle:
            ll.llama_model_free(self.handle)
            self.handle = None

    @property
    def metadata(self) -> dict[str, str]:
        """Metadata as text, without arrays."""
        buffer = ctypes.create_string_buffer(1 << 10)
        values = {}
        for index in range(ll.llama_model_meta_count(self.handle)):
            ll.llama_model_meta_key_by_index(self.handle, index, buffer, len(buffer))
            key = buffer.value
            values[key.decode(errors="replace")] = self._value(key)
        return values

    def meta(self, key: str) -> str:
        """Return a metadata value as text; "" if the key is missing."""
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
        """llama.cpp's description: architecture, size, quantisation ("qwen3 4B Q4_K - Medium")."""
        buffer = ctypes.create_string_buffer(256)
        ll.llama_model_desc(self.handle, buffer, 256)
        return buffer.value.decode(errors="replace")

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return int(ll.llama_model_n_params(self.handle))

    @property
    def n_vocab(self) -> int:
        """Number of tokens in the vocabulary."""
        return int(ll.llama_vocab_n_tokens(self.vocab))

    @property
    def context_trained(self) -> int:
        """Context length of the training in tokens; 0 if unknown."""
        # llama_model_n_ctx_train returns 0 with vocab_only.
        length = self.meta(f"{self.meta('general.architecture')}.context_length")
        return read_number(length)

    def token_text(self, token: int) -> str:
        """Return the text of a token in the vocabulary; "" for a negative id."""
        raw = ll.llama_vocab_get_text(self.vocab, token) if token >= 0 else b""
        return (raw or b"").decode(errors="replace")

    @property
    def special_tokens(self) -> dict[str, str]:
        """Texts of the special tokens by their names in transformers; missing ones are left out."""
        ids = {name: self._special_id(key) for name, key in SPECIAL_TOKENS.items()}
        texts = {name: self.token_text(token) for name, token in ids.items()}
        return {name: text for name, text in texts.items() if text}

    def _special_id(self, key: str) -> int:
        """Return the id of a special token; -1 if there is none.

        Without the key, llama.cpp takes the id that is usual for the kind of vocabulary. That may
        be any token: in a GPT-2 vocabulary it is the comma. Only a control token is accepted.
        """
        token = read_number(self.meta(f"tokenizer.ggml.{key}"), -1)
        if token >= 0:
            return token if token < self.n_vocab else -1
        defaults = {"bos_token_id": ll.llama_vocab_bos, "eos_token_id": ll.llama_vocab_eos}
        default = int(defaults[key](self.vocab)) if key in defaults else -1
        is_control = default >= 0 and ll.llama_vocab_is_control(self.vocab, default)
        return default if is_control else -1

    @cached_property
    def control_texts(self) -> frozenset[str]:
        """Texts of the control tokens; in a prompt they are tokenised as these tokens."""
        is_control = ll.llama_vocab_is_control
        tokens = (t for t in range(self.n_vocab) if is_control(self.vocab, t))
        return frozenset(map(self.token_text, tokens))

    @cached_property
    def end_tokens(self) -> frozenset[int]:
        """All tokens that end an answer."""
        is_end = ll.llama_vocab_is_eog
        return frozenset(t for t in range(self.n_vocab) if is_end(self.vocab, t))

    @cached_property
    def eos_tokens(self) -> frozenset[int]:
        """Only the end-of-sequence token of the tokenizer.

        For Qwen3's base models it is <|endoftext|>, while `end_tokens` also has <|im_end|>. Raises
        EngineError if the tokenizer has no end-of-sequence token.
        """
        token = int(ll.llama_vocab_eos(self.vocab))
        if token < 0:
            raise EngineError(
                'the vocabulary has no end-of-sequence token; set stop_tokens = "any"'
            )
        return frozenset({token})

    def tokenize(self, text: str, *, special: bool = True) -> Tokens:
        """Return the tokens of a text.

        With `special`, texts of special tokens such as <|im_end|> become these tokens. No token is
        added: as in transformers' `apply_chat_template`, the template writes the
        beginning-of-sequence token if the prompt has one.
        """
        raw = text.encode()
        size = len(raw) + 2
        buffer = (ll.llama_token * size)()
        n = ll.llama_tokenize(self.vocab, raw, len(raw), buffer, size, False, special)
        if n < 0:
            raise EngineError(
                f"llama.cpp cannot tokenise a text of {len(raw)} bytes; please report this"
            )
        return list(buffer[:n])

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token; empty for control tokens other than reasoning marks."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._render(token, special=True)
            if piece not in REASONING_MARKS:
                piece = self._render(token, special=False)
            self._pieces[token] = piece
        return piece

    def _render(self, token: int, *, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(512)
        n = ll.llama_token_to_piece(self.vocab, token, buffer, 512, 0, special)
        return buffer.raw[: max(n, 0)]

    def text(self, tokens: Tokens) -> str:
        """Return the text of tokens; invalid UTF-8 becomes U+FFFD."""
        return b"".join(map(self.piece, tokens)).decode(errors="replace")
