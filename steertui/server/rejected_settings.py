"""Settings that a server rejects, learned from its errors: renamed, left out or merged.

Servers name the setting in the error's `param` (OpenAI, Azure), at the end of `loc` (FastAPI,
Mistral), or only in the message (vLLM, Groq, LiteLLM, Gemini, xAI).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from steertui.server.error_body import names_setting
from steertui.server.failures import RequestRejected
from steertui.server.probe import ServerInfo

TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")
"""Names of the setting that limits new tokens: of most servers, and of OpenAI's newer models."""

_BAD_REQUEST = frozenset({400, 404, 422})
_BAD_TEMPLATE = _BAD_REQUEST | {500}  # a chat template that raises an error
_FIXED = frozenset({"model", "messages", "prompt"})
_SYSTEM = re.compile(
    r"system (role|message|prompt|instruction)|'system'|\"system\"|developer instruction"
    r"|roles must alternate",
    re.IGNORECASE,
)


def other_token_limit(name: str) -> str:
    """Return the other name of the setting that limits new tokens."""
    return TOKEN_LIMITS[1 - TOKEN_LIMITS.index(name)]


def rejected_names(error: RequestRejected, sent: Collection[str]) -> frozenset[str]:
    """Return those of the settings that were sent which a server's error names."""
    if error.status not in _BAD_REQUEST or error.is_filtered:
        return frozenset()
    if error.parameter in sent:
        return frozenset({error.parameter})
    return frozenset(name for name in sent if names_setting(error.message, name))


def rejects_system(error: RequestRejected) -> bool:
    """Whether a server's error says that the model takes no system message."""
    return error.status in _BAD_TEMPLATE and bool(_SYSTEM.search(error.message))


def adapted(
    info: ServerInfo, request: Mapping[str, object], error: RequestRejected
) -> ServerInfo | None:
    """Return the metadata with what the error rejects; None if it names nothing that can change.

    The token limit is renamed once and never left out.
    """
    turns = request.get("messages")
    has_system = isinstance(turns, list) and len(turns) > 1
    if has_system and rejects_system(error):
        return replace(info, merges_system=True)
    names = rejected_names(error, request.keys() - _FIXED)
    if info.token_limit in names:
        is_renamed = info.token_limit != ServerInfo(info.kind).token_limit
        return (
            None if is_renamed else replace(info, token_limit=other_token_limit(info.token_limit))
        )
    new = names - info.rejected_settings
    return replace(info, rejected_settings=info.rejected_settings | new) if new else None
