"""Requests of OpenAI's API: paths, bodies, sampling settings.

Three endpoints are known: the Responses API, chat completions, and completions with a rendered
prompt. Models and judges build their requests from the parts in this module.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from steertui.core.generation import SamplingParams
from steertui.errors import ServerError
from steertui.server.probe import ServerInfo, ServerKind

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

NO_REASONING_EFFORT: Mapping[str, Any] = MappingProxyType({"reasoning_effort": "none"})
"""Turns thinking off at OpenAI and Ollama."""

NO_THINKING_HINT: Mapping[str, Any] = MappingProxyType(
    {"chat_template_kwargs": {"enable_thinking": False}}
)
"""Turns thinking off through the chat template at llama-server, vLLM and SGLang."""

_NEUTRAL = SamplingParams()

_API_DEFAULTS = SamplingParams(temperature=1.0)
"""Values that OpenAI's API defines for settings that a request leaves out."""

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


def chat_turns(system: str, user: str, *, merges_system: bool = False) -> list[Body]:
    """Return the messages of a chat with one user message; no system message if "" is given.

    `merges_system` puts its text at the start of the user message, after which a blank line
    follows, for models that take no system message.
    """
    if system and merges_system:
        return [{"role": "user", "content": f"{system}\n\n{user}"}]
    turns = [{"role": "system", "content": system}] if system else []
    return [*turns, {"role": "user", "content": user}]


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
    known to apply, or defines differently, raises ServerError unless it is neutral. A setting that
    the server rejects is left out if the API's default is the same value; otherwise it raises
    ServerError, too. The seed is always left out if it is rejected.
    """
    if sampling.temperature == 0:
        sampling = replace(
            sampling, top_k=_NEUTRAL.top_k, top_p=_NEUTRAL.top_p, min_p=_NEUTRAL.min_p
        )
    _refuse_unsupported(info, sampling)
    body = _named_settings(info, sampling, seed)
    defaults = _named_settings(info, _API_DEFAULTS, seed)
    for name in info.rejected_settings & body.keys():
        if body[name] != defaults[name]:
            raise ServerError(
                f"{info.description} does not accept {name} {body[name]:g}, and without it samples "
                f"at its default; set {name} to {defaults[name]:g}"
            )
        del body[name]
    return body | {info.token_limit: sampling.max_tokens}


def _named_settings(info: ServerInfo, sampling: SamplingParams, seed: int) -> Body:
    """Return the sampling settings and the seed by the names that the server kind knows."""
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
