"""The child that reads a GGUF's metadata and vocabulary (see `engine.vocabulary`)."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from steertui.core.chat_template import render
from steertui.engine.llama import LlamaModel, Tokens
from steertui.sandbox.child import serve

MOST_PARAMETERS = 2**63 - 1
"""The largest number that SQLite stores."""


@lru_cache(maxsize=1)
def _model(path: str) -> LlamaModel:
    return LlamaModel(Path(path), vocab_only=True)


def read(path: str) -> dict[str, Any]:
    """Return what `Vocabulary` holds of a GGUF, but for its tokenizer."""
    model = _model(path)
    return {
        "metadata": model.metadata,
        "description": model.description,
        "parameters": min(model.parameters, MOST_PARAMETERS),
        "bos": model.bos,
        "eos": model.eos,
        "control": sorted(model.control_texts),
        "rewinds": model.rewinds,
    }


def tokenize(path: str, special: bool, text: str) -> Tokens:
    """Return a text's tokens."""
    return _model(path).tokenize(text, special=special)


def count(path: str, text: str) -> int:
    """Return the number of a prompt's tokens."""
    return len(_model(path).tokenize(text))


def main(descriptor: int) -> None:
    """Be the child."""
    serve(descriptor, {"read": read, "tokenize": tokenize, "count": count, "render": render})
