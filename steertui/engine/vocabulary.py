"""A Vocabulary: a GGUF's metadata and tokenizer, read in a child process with limits.

A GGUF is a file of a third party, and llama.cpp aborts or is compromised by some damaged ones; the
process that plans, stores and shows must survive that.
"""

import atexit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from steertui.engine.llama import Tokens, read_number
from steertui.errors import ModelError
from steertui.sandbox.parent import UNREADABLE, Refused, Sandbox, Stopped

SECONDS = 20.0
"""CPU time for reading a GGUF, and for the tokens of one text."""

MOST_IDLE = 2
"""Children that are kept for the next use of their file."""

T = TypeVar("T")


class Vocabulary:
    """A GGUF's metadata, tokenizer and control tokens; `close` ends the child.

    Raises ModelError where the file cannot be read.

    Attributes:
        path: of the GGUF.
        sandbox: the child, which also renders the GGUF's chat template.
        description: architecture, size and quantisation in llama.cpp's words.
        parameters: number of weights.
        bos: the beginning-of-sequence token's text, "" for none.
        eos: the end-of-sequence token's text, "" for none.
        control_texts: texts of control tokens: in a prompt they are read as these tokens.
        rewinds: whether sequences can share a prefix (see `LlamaModel.rewinds`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sandbox = Sandbox("steertui.engine.vocabulary_child:main")
        (facts,) = self._ask("read", dict, (), [(str(path),)])
        try:
            self._metadata = _texts_by_key(facts["metadata"])
            self.description = str(facts["description"])
            self.parameters = int(facts["parameters"])
            self.bos = str(facts["bos"])
            self.eos = str(facts["eos"])
            self.control_texts = frozenset(map(str, facts["control"]))
            self.rewinds = bool(facts["rewinds"])
        except (KeyError, TypeError, ValueError, AttributeError):
            self.close()
            raise self._unreadable(UNREADABLE) from None

    def meta(self, key: str) -> str:
        """Return a metadata value as text, "" where the key is missing."""
        return self._metadata.get(key, "")

    @property
    def context_trained(self) -> int:
        """Longest context the model was trained for, in tokens."""
        return read_number(self.meta(f"{self.meta('general.architecture')}.context_length"))

    def tokenize(self, texts: Sequence[str], *, special: bool = True) -> list[Tokens]:
        """Return each text's tokens; `special` reads tokens like <|im_end|> out of the text."""
        shared = (str(self.path), special)
        found = self._ask("tokenize", list, shared, [(text,) for text in texts])
        if not all(isinstance(token, int) for tokens in found for token in tokens):
            raise self._unreadable(UNREADABLE)
        return found

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of each prompt's tokens."""
        return self._ask("count", int, (str(self.path),), [(text,) for text in texts])

    def close(self) -> None:
        """End the child."""
        self.sandbox.close()

    def _ask(
        self, name: str, kind: type[T], shared: Sequence[object], items: Sequence[Sequence[object]]
    ) -> list[T]:
        try:
            return self.sandbox.ask(name, kind, shared, items, SECONDS)
        except Refused as exc:
            self.close()
            raise ModelError(exc.sentence) from None
        except Stopped as exc:
            raise self._unreadable(exc.cause) from None

    def _unreadable(self, cause: str) -> ModelError:
        return ModelError(
            f"{self.path}: llama.cpp could not read this model and stopped ({cause}); it is "
            "damaged or made for another version; fetch it again"
        )


def _texts_by_key(value: Any) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()}


_Stamp = tuple[str, int, int, int, int]
_idle: dict[_Stamp, Vocabulary] = {}
_lock = Lock()


@contextmanager
def vocabulary(path: Path) -> Iterator[Vocabulary]:
    """Give the vocabulary of a GGUF, without its weights.

    Its child is kept, so that a plan, the answers and a judge of the same unchanged file need one.
    """
    stamp = _stamp(path)
    with _lock:
        kept = _idle.pop(stamp, None)
    lent = kept or Vocabulary(path)
    try:
        yield lent
    finally:
        _keep(stamp, lent)


def _keep(stamp: _Stamp, returned: Vocabulary) -> None:
    """Keep a child for its next use, and close those beyond `MOST_IDLE`, the oldest first."""
    if not returned.sandbox.is_open:
        return
    with _lock:
        surplus = [_idle.pop(stamp, None)]
        _idle[stamp] = returned
        while len(_idle) > MOST_IDLE:
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
    """End the children that are kept."""
    with _lock:
        kept = list(_idle.values())
        _idle.clear()
    for child in kept:
        child.close()
