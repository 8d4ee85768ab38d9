"""GGUF metadata and tokenizers, read in a child process with limits.

A GGUF is third-party input. Some damaged files make llama.cpp abort, and a malicious one could
exploit it; the main process must survive both.
"""

import atexit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from steertui.engine.llama import Tokens, read_number
from steertui.errors import ModelError
from steertui.printable import printable_line
from steertui.sandbox.parent import UNREADABLE, Refused, Sandbox, Stopped

CPU_SECONDS = 20.0
"""CPU time limit in seconds for reading a GGUF, and for tokenising one text."""

MAX_IDLE = 2
"""Children that are kept for the next use of their file."""

DEFAULT_TEMPLATE = "default"
"""Name of the chat template that is used if no other is chosen."""

_TEMPLATE_KEY = "tokenizer.chat_template"

T = TypeVar("T")


class Vocabulary:
    """Metadata, tokenizer and control tokens of a GGUF; `close` ends the child process.

    Raises ModelError if the file cannot be read.

    Attributes:
        path: of the GGUF.
        sandbox: the child process, which also renders the GGUF's chat template.
        description: llama.cpp's description: architecture, size, quantisation.
        parameters: number of weights.
        special_tokens: texts of the special tokens by their names in transformers, such as
            "bos_token"; missing ones are left out.
        warnings: llama.cpp's warnings about the file, each a sentence of llama.cpp's.
        control_texts: texts of the control tokens; in a prompt they are tokenised as these tokens.
        can_truncate: whether sequences can share a prefix (see `LlamaModel.can_truncate`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sandbox = Sandbox("steertui.engine.vocabulary_child:main")
        (facts,) = self._ask("read", dict, (), [(str(path),)])
        try:
            self._metadata = _texts_by_key(facts["metadata"])
            self.description = str(facts["description"])
            self.parameters = int(facts["parameters"])
            self.special_tokens = _texts_by_key(facts["special_tokens"])
            self.warnings = tuple(map(printable_line, facts["warnings"]))
            self.control_texts = frozenset(map(str, facts["control"]))
            self.can_truncate = bool(facts["can_truncate"])
        except (KeyError, TypeError, ValueError, AttributeError):
            self.close()
            raise self._unreadable(UNREADABLE) from None

    def meta(self, key: str) -> str:
        """Return a metadata value as text; "" if the key is missing."""
        return self._metadata.get(key, "")

    @property
    def chat_templates(self) -> dict[str, str]:
        """The GGUF's chat templates by name, the default one first.

        The default one is that of llama.cpp, also if another one has its name.
        """
        prefix = f"{_TEMPLATE_KEY}."
        named = {
            key.removeprefix(prefix): text
            for key, text in sorted(self._metadata.items())
            if key.startswith(prefix)
        }
        default = self.meta(_TEMPLATE_KEY)
        first = {DEFAULT_TEMPLATE: default} if default else {}
        return first | named | first

    @property
    def context_trained(self) -> int:
        """Context length of the training in tokens; 0 if unknown."""
        return read_number(self.meta(f"{self.meta('general.architecture')}.context_length"))

    def require_context(self) -> int:
        """Return `context_trained`; raise ModelError, with the missing key, if it is unknown."""
        length = self.context_trained
        if not length:
            raise ModelError(
                f"{self.path}: its metadata has no {self.meta('general.architecture')}"
                ".context_length, so its context length is unknown; download another file of this "
                "model"
            )
        return length

    def tokenize(self, texts: Sequence[str], *, special: bool = True) -> list[Tokens]:
        """Return the tokens of each text; for `special` see `LlamaModel.tokenize`."""
        shared = (str(self.path), special)
        tokenized = self._ask("tokenize", list, shared, [(text,) for text in texts])
        if not all(isinstance(token, int) for tokens in tokenized for token in tokens):
            raise self._unreadable(UNREADABLE)
        return tokenized

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each prompt."""
        return self._ask("count", int, (str(self.path),), [(text,) for text in texts])

    def close(self) -> None:
        """End the child process."""
        self.sandbox.close()

    def _ask(
        self, name: str, kind: type[T], shared: Sequence[object], items: Sequence[Sequence[object]]
    ) -> list[T]:
        try:
            return self.sandbox.ask(name, kind, shared, items, CPU_SECONDS)
        except Refused as exc:
            self.close()
            raise ModelError(exc.sentence) from None
        except Stopped as exc:
            raise self._unreadable(exc.cause) from None

    def _unreadable(self, cause: str) -> ModelError:
        return ModelError(
            f"{self.path}: the process that reads this model with llama.cpp stopped ({cause}); it "
            "is damaged or made for another version; download it again"
        )


def _texts_by_key(value: Any) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()}


_Stamp = tuple[str, int, int, int, int]
_idle: dict[_Stamp, Vocabulary] = {}
_lock = Lock()


@contextmanager
def vocabulary(path: Path) -> Iterator[Vocabulary]:
    """Open the vocabulary of a GGUF without loading its weights.

    The child process is kept for the next use, so that planning, generation and judging with the
    same unchanged file need only one.
    """
    stamp = _stamp(path)
    with _lock:
        kept = _idle.pop(stamp, None)
    opened = kept or Vocabulary(path)
    try:
        yield opened
    finally:
        _keep(stamp, opened)


def _keep(stamp: _Stamp, returned: Vocabulary) -> None:
    """Keep a child for its next use; close the oldest beyond `MAX_IDLE`."""
    if not returned.sandbox.is_open:
        return
    with _lock:
        surplus = [_idle.pop(stamp, None)]
        _idle[stamp] = returned
        while len(_idle) > MAX_IDLE:
            surplus.append(_idle.pop(next(iter(_idle))))
    for child in surplus:
        if child:
            child.close()


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0, 0, 0
    return str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


@atexit.register
def close_idle() -> None:
    """End the child processes that are kept."""
    with _lock:
        kept = list(_idle.values())
        _idle.clear()
    for child in kept:
        child.close()
