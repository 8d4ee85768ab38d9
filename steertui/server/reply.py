"""Replies of OpenAI's API, read from plain JSON: text, reasoning, refusal, finish reason, usage.

Servers return content as text, as null or as an array of parts, and reasoning in several fields.
All of these are read. Whatever is none of them is an `InvalidReply` with its reason.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from steertui.server.error_body import read_error
from steertui.server.protocol import Api, Body
from steertui.untrusted import count, one_line, table_of, tables_of, text_of

MAX_REASON = 80
"""Characters of a finish reason that are kept."""

MAX_NAME = 200
"""Characters of the names and ids in a reply that are kept."""

NOT_THE_API = "the reply is not the JSON that the API defines"
"""Reason of a reply that has neither an answer nor an error."""

_STOP_NAMES = frozenset(
    {"stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete", "completed"}
)
_LENGTH_NAMES = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_FILTER_NAMES = frozenset({"safety", "prohibited_content", "blocklist", "recitation"})

_REASONING_FIELDS = (
    "reasoning_content",  # DeepSeek, vLLM, SGLang, llama-server, LM Studio
    "reasoning",  # OpenRouter, Ollama, Groq, newer vLLM
    "thinking",
    "thinking_blocks",  # LiteLLM
    "reasoning_details",  # OpenRouter
)
_TEXT_FIELDS = ("text", "content", "thinking", "reasoning", "summary", "refusal")


class FinishReason(StrEnum):
    """Why a server ended a reply."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    OTHER = "other"
    """A value that the API does not define, or none."""


@dataclass(frozen=True, slots=True)
class ApiReply:
    """A reply of any endpoint. Token counts are the server's; 0 if it reports none.

    Attributes:
        text: output without reasoning and refusal.
        reasoning: reasoning that the server returns in a field of its own, or "".
        refusal: the model's refusal if the API returns it in a field of its own, or "".
        finish_reason: why the reply ended.
        server_reason: the finish reason in the server's words.
        error: the server's error if it failed in the middle of a reply, or "".
        model: the server's name for the model.
        fingerprint: `system_fingerprint`, which identifies the server's configuration.
        request_id: the server's id of the request.
        prompt_tokens: cached tokens included.
        cached_tokens: prompt tokens read from the server's cache.
        completion_tokens: reasoning included.
        reasoning_tokens: completion tokens used for reasoning.
    """

    text: str
    reasoning: str
    refusal: str
    finish_reason: FinishReason
    server_reason: str
    error: str
    model: str
    fingerprint: str
    request_id: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int


class InvalidReply(Exception):
    """A reply that cannot be used.

    Attributes:
        reason: what is wrong with it.
        retryable: whether the same request may succeed.
        is_api: whether the server answered in the form of the API, so that another prompt may
            get an answer.
    """

    def __init__(self, reason: str, *, retryable: bool, is_api: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.is_api = is_api


@dataclass(frozen=True, slots=True)
class _Output:
    """Texts of a reply, by kind."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.reasoning or self.refusal)


def parse_reply(api: Api, data: object) -> ApiReply:
    """Return the reply in a server's JSON; raises InvalidReply if there is none."""
    body = table_of(data)
    if api == "responses" and isinstance(body.get("output"), list):
        return _parse_responses(body)
    choices = tables_of(body.get("choices"))
    if api != "responses" and choices:
        return _parse_choice(body, choices[0])
    raise _without_answer(data)


def _without_answer(data: object) -> InvalidReply:
    """Return the exception for a reply without choices: an error, a filter, or something else."""
    error = read_error(data)
    if error:
        reason = f"the server reports an error: {one_line(error.message or str(data))}"
        return InvalidReply(reason, retryable=not error.is_filtered)
    body = table_of(data)
    if body.get("choices") == [] and "prompt_filter_results" in body:
        return InvalidReply("the server's content filter refused the prompt", retryable=False)
    return InvalidReply(NOT_THE_API, retryable=True, is_api="choices" in body)


def _parse_responses(body: Body) -> ApiReply:
    items = tables_of(body["output"])
    thoughts = [i.get("content") or i.get("summary") for i in items if i.get("type") == "reasoning"]
    texts = [item.get("content") for item in items if item.get("type") == "message"]
    output = _Output(reasoning="\n".join(_part_text(thought) for thought in thoughts))
    for content in texts:
        output = _joined(output, _read_content(content))
    status = body.get("status")
    finish_reason, server_reason, error = FinishReason.STOP, _reason(status), ""
    if status == "incomplete":
        reason = table_of(body.get("incomplete_details")).get("reason")
        server_reason = _reason(reason)
        is_filter = _finish_reason(reason) is FinishReason.CONTENT_FILTER
        finish_reason = FinishReason.CONTENT_FILTER if is_filter else FinishReason.LENGTH
    elif status not in (None, "completed"):
        found = read_error(body)
        finish_reason = FinishReason.OTHER
        error = one_line((found.message if found else "") or str(status))
    elif output.is_empty:
        error = _tool_call_error(_tool_names(items))
    usage = table_of(body.get("usage"))
    return ApiReply(
        text=output.text,
        reasoning=output.reasoning,
        refusal=output.refusal,
        finish_reason=finish_reason,
        server_reason=server_reason,
        error=error,
        model=_name(body, "model"),
        fingerprint=_name(body, "system_fingerprint"),
        request_id=_name(body, "id"),
        prompt_tokens=count(usage.get("input_tokens")),
        cached_tokens=count(table_of(usage.get("input_tokens_details")).get("cached_tokens")),
        completion_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=_reasoning_tokens(usage, "output_tokens_details"),
    )


def _parse_choice(body: Body, choice: Body) -> ApiReply:
    message = table_of(choice.get("message"))
    if not message and "text" not in choice:
        raise InvalidReply(NOT_THE_API, retryable=True)
    output = _read_message(message) if message else _read_content(choice["text"])
    reason = choice.get("finish_reason")
    usage = table_of(body.get("usage"))
    return ApiReply(
        text=output.text,
        reasoning=output.reasoning,
        refusal=output.refusal,
        finish_reason=_finish_reason(reason),
        server_reason=_reason(reason),
        error=_choice_error(choice, message, output),
        model=_name(body, "model"),
        fingerprint=_name(body, "system_fingerprint"),
        request_id=_name(body, "id"),
        prompt_tokens=count(usage.get("prompt_tokens")),
        cached_tokens=count(table_of(usage.get("prompt_tokens_details")).get("cached_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        reasoning_tokens=_reasoning_tokens(usage, "completion_tokens_details"),
    )


def _choice_error(choice: Body, message: Body, output: _Output) -> str:
    """Return why a choice has no answer: an error of the provider, a tool call, null; or ""."""
    error = read_error(choice) if choice.get("error") else None
    if error:
        return one_line(error.message or str(choice["error"]))
    calls = tables_of(message.get("tool_calls")) or [table_of(message.get("function_call"))]
    tool_error = _tool_call_error(_tool_names(calls))
    if tool_error and not output.text:
        return tool_error
    is_text = isinstance(message.get("content", choice.get("text")), str)
    is_complete = _finish_reason(choice.get("finish_reason")) is FinishReason.STOP
    return "the reply has no text" if is_complete and output.is_empty and not is_text else ""


def _tool_names(calls: list[Body]) -> list[str]:
    """Return the names of the tools or functions that are called."""
    names = [text_of(table_of(c.get("function")).get("name") or c.get("name")) for c in calls]
    return [name for name in names if name]


def _tool_call_error(names: list[str]) -> str:
    listed = one_line(", ".join(names), MAX_REASON)
    return f"the model called a tool ({listed}) instead of writing text" if names else ""


def _read_message(message: Body) -> _Output:
    output = _read_content(message.get("content"))
    if not output.reasoning:
        fields = (_part_text(message.get(name)) for name in _REASONING_FIELDS)
        reasoning = next(filter(None, fields), "")
        output = _joined(output, _Output(reasoning=reasoning))
    return _joined(output, _Output(refusal=_part_text(message.get("refusal"))))


def _read_content(content: object) -> _Output:
    """Return the texts of a message's content: text, null, a part, or an array of parts."""
    if isinstance(content, list):
        output = _Output()
        for part in content:
            output = _joined(output, _read_content(part))
        return output
    if content is None or isinstance(content, str):
        return _Output(text=content or "")
    if not isinstance(content, dict):
        raise InvalidReply(NOT_THE_API, retryable=True)
    kind = text_of(content.get("type"))
    text = _part_text(content)
    if kind in ("thinking", "reasoning", "redacted_thinking", "reasoning_text"):
        return _Output(reasoning=text)
    return _Output(refusal=text) if kind == "refusal" else _Output(text=text)


def _part_text(value: Any) -> str:
    """Return the text of a part, which may be text, an object or an array of these."""
    if isinstance(value, list):
        return "".join(map(_part_text, value))
    if isinstance(value, dict):
        texts = (_part_text(value[name]) for name in _TEXT_FIELDS if name in value)
        return next(filter(None, texts), "")
    return text_of(value)


def _joined(one: _Output, other: _Output) -> _Output:
    return _Output(
        text=one.text + other.text,
        reasoning=one.reasoning + other.reasoning,
        refusal=" ".join(filter(None, (one.refusal, other.refusal))),
    )


def _reasoning_tokens(usage: Body, details: str) -> int:
    """Return the reasoning tokens among the details of the usage, or beside them (OpenRouter)."""
    value = table_of(usage.get(details)).get("reasoning_tokens")
    return count(value or usage.get("reasoning_tokens"))


def _finish_reason(reason: object) -> FinishReason:
    name = text_of(reason).strip().lower()
    if name in _STOP_NAMES:
        return FinishReason.STOP
    if name in _LENGTH_NAMES:
        return FinishReason.LENGTH
    if name.startswith("content_filter") or name in _FILTER_NAMES:
        return FinishReason.CONTENT_FILTER
    return FinishReason.OTHER


def _reason(value: object) -> str:
    """Return a finish reason in the server's words; "None" if there is none."""
    return one_line(str(value), MAX_REASON)


def _name(data: Body, key: str) -> str:
    """Return a name in a reply; "" if it is not text."""
    return one_line(text_of(data.get(key)), MAX_NAME)
