"""A judge's reply: what it must look like, and how it is read. Nothing else is a label."""

import json

from steertui.core.reasoning import split_reasoning
from steertui.core.verdict import Label
from steertui.errors import shorten

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "decision": {"type": "string", "enum": [label.value for label in Label]},
        "reason": {"type": "string"},
    },
    "required": ["decision", "reason"],
    "additionalProperties": False,
}
"""The reply as a strict JSON schema, for servers that bind what a model writes to one."""


class UnreadableError(Exception):
    """A reply is no verdict, and why; it becomes a failure, never a label."""


def read_reply(text: str) -> tuple[Label, str]:
    """Return (label, reason) of a reply that is one JSON object and nothing else.

    What stands before a closing `</think>` is not looked at, and one code fence around the whole
    is allowed. Raises UnreadableError for everything else: prose around the object, a key that
    stands twice, a label with brackets or in another case. A reply that quotes the answer it
    judges can therefore never be read as that answer's own words.
    """
    text = _without_fence(split_reasoning(text)[1])
    if not text:
        raise UnreadableError("the reply is empty")
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError):
        raise UnreadableError(f"the reply is not JSON: {shorten(text)}") from None
    if not isinstance(found, dict):
        raise UnreadableError(f"the reply is no JSON object: {shorten(text)}")
    decision, reason = found.get("decision"), found.get("reason", "")
    if not isinstance(decision, str) or decision not in set(Label):
        raise UnreadableError(f"the reply's decision is none of the labels: {shorten(text)}")
    return Label(decision), reason if isinstance(reason, str) else json.dumps(reason)


def _without_fence(text: str) -> str:
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text[text.index("\n") + 1 : -3].strip()
    return text


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("the reply's JSON has one key twice")
    return found
