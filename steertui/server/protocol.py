"""Wire format of OpenAI's API: paths, request bodies, sampling settings and replies.

Three endpoints are known: the Responses API, chat completions, and completions with a rendered
prompt. Models and judges build their requests from the parts in this module and read replies
with `parse_reply`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from steertui.core.generation import SamplingParams
from steertui.errors import ServerError
from steertui.server.probe import ServerInfo, ServerKind
from steertui.untrusted import count, one_line, table_of, tables_of, text_of

Api = Literal["responses", "chat", "completions"]
"""Endpoint: Responses API, chat completions, or completions with a rendered prompt."""

Body = dict[str, Any]
"""JSON object of a request."""

PATHS: Mapping[Api, str] = MappingProxyType(
    {"responses": "/responses", "chat": "/chat/completions", "completions": "/completions"}
)
"""Path of each endpoint below the base URL."""

MAX_SEED = 0x7FFF_FFFF
"""Largest seed sent: servers store it in 32 bits, some of them signed."""

ALL_TOKENS = 65_536
"""Penalty window sent to llama-server if it does not report its context length, in tokens."""

OPTIONAL_SETTINGS = frozenset({"seed", "top_p", "presence_penalty"})
"""Settings that some servers reject even at the neutral value."""

NO_REASONING_EFFORT: Mapping[str, Any] = MappingProxyType({"reasoning_effort": "none"})
"""Turns thinking off at OpenAI and Ollama."""

NO_THINKING_HINT: Mapping[str, Any] = MappingProxyType(
    {"chat_template_kwargs": {"enable_thinking": False}}
)
"""Turns thinking off through the chat template at llama-server, vLLM and SGLang."""

MAX_REASON = 80
"""Characters of a finish reason that are kept."""

MAX_NAME = 200
"""Characters of the names and ids in a reply that are kept."""

_NEUTRAL = SamplingParams()

# Names of the settings that OpenAI's API does not define, by our names. They are always sent,
# also at the neutral value: a server fills missing settings from its own or the model's defaults.
_LLAMA_NAMES = {"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repeat_penalty"}
_VLLM_NAMES = {"top_k": "top_k", "min_p": "min_p", "repetition_penalty": "repetition_penalty"}
_SETTING_NAMES: Mapping[ServerKind, Mapping[str, str]] = MappingProxyType(
    {"llama-server": _LLAMA_NAMES, "vLLM": _VLLM_NAMES, "SGLang": _VLLM_NAMES}
)

# Settings that a server kind defines differently from our engine and OpenAI's API.
_DIFFERENT_MEANING: Mapping[ServerKind, Mapping[str, str]] = MappingProxyType(
    {
        "llama-server": {"presence_penalty": "it also counts the prompt's tokens"},
        "Ollama": {"presence_penalty": "it counts the last 64 tokens, prompt included"},
        "SGLang": {"repetition_penalty": "it does not count the prompt's tokens"},
    }
)

_STOP_NAMES = frozenset({"stop", "eos", "eos_token", "stop_sequence", "end_turn"})
_LENGTH_NAMES = frozenset({"length", "max_tokens"})


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


class InvalidReply(Exception):
    """A reply that cannot be used.

    Attributes:
        reason: what is wrong with it.
        retryable: whether the same request may succeed.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable


def chat_turns(system: str, user: str) -> list[Body]:
    """Return the messages of a chat with one user message; no system message if "" is given."""
    turns = [{"role": "system", "content": system}] if system else []
    return [*turns, {"role": "user", "content": user}]


def token_limit(api: Api, limit: int, *, is_openai: bool) -> Body:
    """Return the setting that limits new tokens, by the name that endpoint and server know."""
    if api == "responses":
        return {"max_output_tokens": limit}
    return {"max_completion_tokens" if is_openai else "max_tokens": limit}


def schema_format(api: Api, name: str, schema: Mapping[str, object]) -> Body:
    """Return the setting that binds a reply to a strict JSON schema."""
    if api == "responses":
        bound = {"type": "json_schema", "name": name, "strict": True, "schema": schema}
        return {"text": {"format": bound}}
    bound = {"name": name, "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": bound}}


def sampling_settings(info: ServerInfo, sampling: SamplingParams, seed: int) -> Body:
    """Return the sampling settings of a request, by the names that the server knows.

    At temperature 0 the filters (top_k, top_p, min_p) are neutral, as in our engine. Many servers
    silently ignore settings that they do not know. Therefore a setting that the server kind is not
    known to apply, or defines differently, raises ServerError unless it is neutral.
    """
    if sampling.temperature == 0:
        sampling = replace(
            sampling, top_k=_NEUTRAL.top_k, top_p=_NEUTRAL.top_p, min_p=_NEUTRAL.min_p
        )
    _refuse_unsupported(info, sampling)
    body: Body = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": seed & MAX_SEED,
        "presence_penalty": sampling.presence_penalty,
    }
    for ours, theirs in _SETTING_NAMES.get(info.kind, {}).items():
        body[theirs] = getattr(sampling, ours)
    if info.kind == "SGLang" and not sampling.top_k:
        body["top_k"] = -1
    if info.kind == "llama-server":
        # Our penalty counts all tokens; llama-server counts the last 64 by default.
        body["repeat_last_n"] = info.context or ALL_TOKENS
    for name in info.rejected_settings:
        if name != "seed" and body[name] != getattr(_NEUTRAL, name):
            raise ServerError(f"{info.description} does not accept {name}; leave it out")
        del body[name]
    body |= token_limit("chat", sampling.max_tokens, is_openai=info.kind == "OpenAI")
    return body | {"stream": False}


def _refuse_unsupported(info: ServerInfo, sampling: SamplingParams) -> None:
    known = _SETTING_NAMES.get(info.kind, {})
    for name in _VLLM_NAMES:
        if name not in known and getattr(sampling, name) != getattr(_NEUTRAL, name):
            raise ServerError(
                f"{info.description} does not accept {name} through this API; leave it out, or "
                "serve the model with llama-server, vLLM or SGLang"
            )
    for name, difference in _DIFFERENT_MEANING.get(info.kind, {}).items():
        if getattr(sampling, name) != getattr(_NEUTRAL, name):
            raise ServerError(
                f"{info.description} defines {name} differently ({difference}); leave it out, or "
                "serve the model with vLLM"
            )
    if sampling.stop_tokens != "any":
        raise ServerError(
            f'stop_tokens = "{sampling.stop_tokens}": a server ends an answer at the stop tokens '
            'of its own configuration; leave it at "any"'
        )


def parse_reply(api: Api, data: Any) -> ApiReply:
    """Return the reply in a server's JSON.

    Raises InvalidReply (retryable) if the JSON is not what the API defines.
    """
    try:
        return _parse_responses(data) if api == "responses" else _parse_choices(data)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        error = data.get("error") if isinstance(data, dict) else None
        if error:
            reason = f"the server reports an error: {one_line(str(error))}"
        else:
            reason = "the reply is not the JSON that the API defines"
        raise InvalidReply(reason, retryable=True) from None


def _parse_responses(data: Any) -> ApiReply:
    parts = [
        part
        for item in tables_of(data.get("output"))
        if item.get("type") == "message"
        for part in tables_of(item.get("content"))
    ]
    refusals = [_string(part["refusal"]) for part in parts if part.get("type") == "refusal"]
    status = data.get("status")
    finish_reason, server_reason, error = FinishReason.STOP, _reason(status), ""
    if status == "incomplete":
        server_reason = _reason(table_of(data.get("incomplete_details")).get("reason"))
        is_filter = server_reason == "content_filter"
        finish_reason = FinishReason.CONTENT_FILTER if is_filter else FinishReason.LENGTH
    elif status not in (None, "completed"):
        finish_reason, error = FinishReason.OTHER, one_line(str(data.get("error") or status))
    usage = table_of(data.get("usage"))
    return ApiReply(
        text="".join(
            _string(part.get("text") or "") for part in parts if part.get("type") == "output_text"
        ),
        reasoning="",
        refusal=" ".join(refusals),
        finish_reason=finish_reason,
        server_reason=server_reason,
        error=error,
        model=_name(data, "model"),
        fingerprint=_name(data, "system_fingerprint"),
        request_id=_name(data, "id"),
        prompt_tokens=count(usage.get("input_tokens")),
        cached_tokens=count(table_of(usage.get("input_tokens_details")).get("cached_tokens")),
        completion_tokens=count(usage.get("output_tokens")),
    )


def _parse_choices(data: Any) -> ApiReply:
    choice = data["choices"][0]
    message = choice.get("message")
    if message is None:
        message = {"content": _string(choice["text"])}
    reason = choice.get("finish_reason")
    usage = table_of(data.get("usage"))
    return ApiReply(
        text=_string(message.get("content") or ""),
        reasoning=_string(message.get("reasoning_content") or message.get("reasoning") or ""),
        refusal=_string(message.get("refusal") or ""),
        finish_reason=_finish_reason(reason),
        server_reason=_reason(reason),
        error="",
        model=_name(data, "model"),
        fingerprint=_name(data, "system_fingerprint"),
        request_id=_name(data, "id"),
        prompt_tokens=count(usage.get("prompt_tokens")),
        cached_tokens=count(table_of(usage.get("prompt_tokens_details")).get("cached_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
    )


def _finish_reason(reason: object) -> FinishReason:
    if reason in _STOP_NAMES:
        return FinishReason.STOP
    if reason in _LENGTH_NAMES:
        return FinishReason.LENGTH
    if reason == "content_filter":
        return FinishReason.CONTENT_FILTER
    return FinishReason.OTHER


def _reason(value: object) -> str:
    """Return a finish reason in the server's words; "None" if there is none."""
    return one_line(str(value), MAX_REASON)


def _name(data: Body, key: str) -> str:
    """Return a name in a reply; "" if it is not text."""
    return one_line(text_of(data.get(key)), MAX_NAME)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
