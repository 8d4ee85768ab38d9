"""API keys that this process holds, and their removal from text of servers."""

import base64
import os
import re
from urllib.parse import quote

OPENAI_KEY = "OPENAI_API_KEY"
"""Environment variable with the API key for OpenAI's host."""

SERVER_KEYS = "STEERTUI_SERVER_KEY"
"""Environment variable with the API keys of models' servers, as "HOST=KEY,HOST:PORT=KEY"."""

JUDGE_KEYS = "STEERTUI_JUDGE_KEY"
"""Environment variable with the API keys of judges' servers, as "HOST=KEY,…"."""

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Environment variables with the hub's token."""

PLACEHOLDER = "[key]"
"""Text that replaces a key."""

MIN_SECRET = 8
"""Shortest key in characters that is removed. Shorter ones are placeholders such as "EMPTY" or
"ollama", which are also words of answers."""

_LOOKS_LIKE_KEY = re.compile(r"\bsk-[\w*.-]{4,}|\bhf_[A-Za-z0-9]{16,}")


def held_keys() -> set[str]:
    """Return all keys in this process's environment."""
    bound = ",".join(os.environ.get(name, "") for name in (SERVER_KEYS, JUDGE_KEYS)).split(",")
    plain = [os.environ.get(name, "") for name in (OPENAI_KEY, *HUB_TOKENS)]
    keys = {key.strip() for key in (*plain, *(entry.partition("=")[2] for entry in bound))}
    return {key for key in keys if len(key) >= MIN_SECRET}


def remove_keys(text: str, *more: str) -> str:
    """Return the text without the keys of this process and without `more` keys.

    Keys are also found percent-encoded, and in base64.
    """
    pattern = key_pattern(*more)
    return pattern.sub(PLACEHOLDER, text) if pattern else text


def key_pattern(*more: str) -> re.Pattern[str] | None:
    """Return a pattern that matches every form of every key; None without keys."""
    keys = held_keys() | {key for key in more if len(key) >= MIN_SECRET}
    forms = sorted({form for key in keys for form in _forms(key)}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, forms)), re.IGNORECASE) if forms else None


def remove_lookalikes(text: str) -> str:
    """Return the text without anything that looks like a key of OpenAI or the hub."""
    return _LOOKS_LIKE_KEY.sub(PLACEHOLDER, text)


def _forms(key: str) -> set[str]:
    """Return the key as written, percent-encoded and in base64."""
    raw = key.encode("utf-8", "surrogateescape")
    forms = {key, quote(raw, safe=""), "".join(f"%{byte:02x}" for byte in raw)}
    for prefix in ("", ":", "Bearer "):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(prefix.encode() + raw).decode().rstrip("="))
    return forms
