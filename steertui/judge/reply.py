"""A judge's reply: its JSON schema, and the label and reason in it. Nothing else is a label."""

import json

from steertui.core.reasoning import split_reasoning
from steertui.core.verdict import Label
from steertui.untrusted import InvalidJsonError, one_line, parse_json

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "decision": {"type": "string", "enum": [label.value for label in Label]},
        "reason": {"type": "string"},
    },
    "required": ["decision", "reason"],
    "additionalProperties": False,
}
"""Strict JSON schema of a reply, for servers that constrain the output to one."""


class UnreadableError(Exception):
    """A reply without a label, with the reason; it becomes a failure."""


def read_reply(text: str) -> tuple[Label, str]:
    """Return (label, reason) of a reply that is one JSON object and nothing else.

    Text before a closing `</think>` is skipped, and one code fence around the whole reply is
    allowed. Raises UnreadableError for everything else: prose around the object, a duplicate key,
    a label in brackets or in another case. Therefore a reply that quotes the judged answer is never
    read as a verdict of that answer.
    """
    text = _without_fence(split_reasoning(text)[1])
    if not text:
        raise UnreadableError("the reply is empty")
    try:
        data = parse_json(text, pairs_hook=_without_duplicates)
    except InvalidJsonError:
        raise UnreadableError(f"the reply is not JSON: {one_line(text)}") from None
    if not isinstance(data, dict):
        raise UnreadableError(f"the reply is not a JSON object: {one_line(text)}")
    decision = data.get("decision")
    reason = data.get("reason", "")
    if not isinstance(decision, str) or decision not in set(Label):
        raise UnreadableError(f"the reply's decision is not one of the labels: {one_line(text)}")
    return Label(decision), reason if isinstance(reason, str) else json.dumps(reason)


def _without_fence(text: str) -> str:
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text[text.index("\n") + 1 : -3].strip()
    return text


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise UnreadableError("the reply's JSON has a duplicate key")
    return data
