"""Check of rendered prompts: a chat template must not leave out or change what it was given."""

import json
from collections.abc import Mapping
from enum import Enum


class Fidelity(Enum):
    """How much of a text a prompt contains."""

    WHOLE = "whole"
    """Every character, or every character as JSON writes it."""
    SPACED = "spaced"
    """Every character that is not white space."""
    MISSING = "missing"
    """Not the text."""


def fidelity(part: str, prompt: str) -> Fidelity:
    """Return how much of a text a prompt contains, in one piece."""
    if part in prompt or any(_escaped(part, ascii_only) in prompt for ascii_only in (False, True)):
        return Fidelity.WHOLE
    return Fidelity.SPACED if _dense(part) in _dense(prompt) else Fidelity.MISSING


def missing_part(parts: Mapping[str, str], prompt: str) -> str:
    """Return the name of the first text that a prompt lacks; "" if it contains all."""
    lacking = (name for name, part in parts.items() if fidelity(part, prompt) is Fidelity.MISSING)
    return next(lacking, "")


def _escaped(text: str, ascii_only: bool) -> str:
    """Return the text as templates that write messages as JSON write it."""
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _dense(text: str) -> str:
    return "".join(text.split())
