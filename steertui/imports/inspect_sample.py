"""Samples of an inspect_ai log: prompt, answer and scores as one record each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steertui.core.generation import StopReason
from steertui.untrusted import count, table_of, tables_of, text_of

_STOPS = {
    "stop": StopReason.STOP,
    "max_tokens": StopReason.LENGTH,
    "model_length": StopReason.LENGTH,
}
_ATTACHMENT = "attachment://"

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a log at one epoch.

    Attributes:
        id: its id, unique in the log's dataset.
        epoch: from 1.
        task: the last user message of the dataset's input, to the byte.
        messages: (role, text) of the messages before the answer, as sent.
        answer: text of the answer; the judge's view of it.
        reasoning: reasoning that the log holds separately; "" for none.
        stop: why the answer ended.
        prompt_tokens: tokens of the prompt, 0 if not logged.
        tokens: new tokens, 0 if not logged.
        seconds: time of the model's call, 0 if not logged.
        scores: (value, explanation) by scorer.
        metadata: of the dataset's sample.
        failure: why there is no answer to be imported; "" for none.
    """

    id: str
    epoch: int
    task: str
    messages: Messages
    answer: str
    reasoning: str
    stop: StopReason
    prompt_tokens: int
    tokens: int
    seconds: float
    scores: Mapping[str, tuple[str, str]]
    metadata: Mapping[str, Any]
    failure: str

    @property
    def user(self) -> str:
        """The user message as sent; "" for none."""
        return next((text for role, text in self.messages if role == "user"), "")

    @property
    def system(self) -> str:
        """The system messages as sent, joined by an empty line; "" for none."""
        return "\n\n".join(text.strip() for role, text in self.messages if role == "system")


def parse_sample(record: Mapping[str, Any]) -> Sample:
    """Return a sample of a log. Values of an unexpected type count as missing."""
    attachments = table_of(record.get("attachments"))
    output = table_of(record.get("output"))
    choice = next(iter(tables_of(output.get("choices"))), {})
    reply = table_of(choice.get("message")).get("content")
    usage = table_of(output.get("usage"))
    sent, rest = _split_messages(record, attachments)
    has_answer = isinstance(reply, str | list)
    tokens = output.get("input_context_tokens") or usage.get("input_tokens")
    return Sample(
        id=text_of(record.get("id")),
        epoch=max(count(record.get("epoch")), 1),
        task=_task(record.get("input"), attachments),
        messages=sent,
        answer=_text(reply, attachments),
        reasoning=_text(reply, attachments, kind="reasoning"),
        stop=_STOPS.get(text_of(choice.get("stop_reason")), StopReason.UNKNOWN),
        prompt_tokens=count(tokens),
        tokens=count(usage.get("output_tokens")),
        seconds=_seconds(output.get("time")),
        scores=dict(_scores(table_of(record.get("scores")))),
        metadata=table_of(record.get("metadata")),
        failure=_failure(record, output, sent, rest) or ("" if has_answer else "no answer"),
    )


def _task(given: object, attachments: Mapping[str, Any]) -> str:
    if isinstance(given, str):
        return _resolved(given, attachments)
    users = [m for m in tables_of(given) if m.get("role") == "user"]
    return _text(users[-1].get("content"), attachments) if users else ""


def _split_messages(
    record: Mapping[str, Any], attachments: Mapping[str, Any]
) -> tuple[Messages, list[str]]:
    """Return the messages before the first answer, and the roles from it on."""
    messages = tables_of(record.get("messages"))
    roles = [text_of(message.get("role")) for message in messages]
    end = roles.index("assistant") if "assistant" in roles else len(roles)
    sent = [
        (role, _text(m.get("content"), attachments))
        for role, m in zip(roles, messages, strict=True)
    ]
    return tuple(sent[:end]), roles[end:]


def _failure(
    record: Mapping[str, Any], output: Mapping[str, Any], sent: Messages, rest: list[str]
) -> str:
    """Return why a sample is not a single answer to a single prompt; "" if it is."""
    error = text_of(table_of(record.get("error")).get("message")) or text_of(output.get("error"))
    if error:
        return f"inspect_ai: {error}"
    roles = [role for role, _ in sent]
    if roles.count("user") != 1 or set(roles) - {"system", "user"} or len(rest) > 1:
        return (
            f"the conversation has {len(sent) + len(rest)} messages; a trial is one user message "
            "and one answer"
        )
    return ""


def _text(content: object, attachments: Mapping[str, Any], kind: str = "text") -> str:
    """Return the text of a message: that of inspect_ai's property `text`, or its reasoning."""
    if isinstance(content, str):
        return _resolved(content, attachments) if kind == "text" else ""
    parts = [p for p in tables_of(content) if p.get("type") == kind and not p.get("redacted")]
    return "\n".join(_resolved(text_of(part.get(kind)), attachments) for part in parts)


def _resolved(text: str, attachments: Mapping[str, Any]) -> str:
    """Return the text that a reference to an attachment stands for."""
    if not text.startswith(_ATTACHMENT):
        return text
    found = attachments.get(text.removeprefix(_ATTACHMENT))
    return found if isinstance(found, str) else text


def _scores(scores: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, score in scores.items():
        record = table_of(score)
        yield name, (_value(record.get("value")), text_of(record.get("explanation")))


def _value(value: object) -> str:
    """Return a score's value as text; of a table with a single 1 among zeros the name of the 1."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    marked = [name for name, mark in table_of(value).items() if mark == 1]
    zeros = [name for name, mark in table_of(value).items() if mark == 0]
    is_one_hot = len(marked) == 1 and len(marked) + len(zeros) == len(table_of(value))
    return marked[0] if is_one_hot else "several values"


def _seconds(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return min(max(float(value), 0.0), 1e9) if is_number and value == value else 0.0  # type: ignore[arg-type]
