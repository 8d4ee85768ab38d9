"""Main function of the process that reads a GGUF's metadata and tokenizer."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from steertui.core.chat_template import RENDERING
from steertui.engine.llama import LlamaModel, Tokens
from steertui.sandbox.child import Answer, serve

MAX_PARAMETERS = 2**63 - 1
"""Largest integer that SQLite stores."""


@lru_cache(maxsize=1)
def _model(path: str) -> LlamaModel:
    return LlamaModel(Path(path), vocab_only=True)


def read(path: str) -> dict[str, Any]:
    """Return the attributes of a `Vocabulary`."""
    model = _model(path)
    return {
        "metadata": model.metadata,
        "description": model.description,
        "parameters": min(model.parameters, MAX_PARAMETERS),
        "special_tokens": model.special_tokens,
        "warnings": model.warnings,
        "control": sorted(model.control_texts),
        "can_truncate": model.can_truncate,
    }


def tokenize(path: str, special: bool, text: str) -> Tokens:
    """Return the tokens of a text."""
    return _model(path).tokenize(text, special=special)


def count(path: str, text: str) -> int:
    """Return the number of tokens of a prompt."""
    return len(_model(path).tokenize(text))


def main(descriptor: int) -> None:
    """Serve the parent at the other end of a pipe."""
    reading: dict[str, Answer] = {"read": read, "tokenize": tokenize, "count": count}
    serve(descriptor, {**reading, **RENDERING})
