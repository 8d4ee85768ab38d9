"""Names of served models ("server:MODEL@URL,URL"), base URLs, and the API key of each host."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from steertui.api_keys import OPENAI_KEY, SERVER_KEYS
from steertui.core.model import SERVER_PREFIX
from steertui.errors import ServerError, SteertuiError
from steertui.urls import (
    has_secret,
    host_of,
    is_invalid_url,
    is_loopback,
    normalise_url,
    port_of,
)

OPENAI = "https://api.openai.com/v1"
"""Base URL of OpenAI's API."""

OPENAI_HOST = "api.openai.com"

KEY = SERVER_KEYS
"""Environment variable with the API keys of models' servers, as "HOST=KEY,HOST:PORT=KEY". It is
not used for OpenAI's host."""


@dataclass(frozen=True, slots=True)
class Address:
    """Address of a served model, written "server:MODEL@URL,URL". It contains no key.

    Attributes:
        model: the servers' name for the model.
        urls: base URLs such as "http://localhost:8000/v1"; the servers share the work.
    """

    model: str
    urls: tuple[str, ...]

    def __str__(self) -> str:
        return f"{SERVER_PREFIX}{self.model}@{','.join(self.urls)}"


def parse_address(name: str) -> Address:
    """Return the address in a model's name; raises ServerError if it is malformed."""
    model, listed = split_address(name.removeprefix(SERVER_PREFIX))
    if has_secret(listed):
        raise ServerError(
            f"server:{model}: a base URL contains a password, a query or a fragment, and base "
            f"URLs are stored; put the key into the environment: {KEY}=HOST=KEY"
        )
    urls = tuple(with_version(url.strip()) for url in listed.split(",") if url.strip())
    if not model or not urls or any(is_invalid_url(url) for url in urls):
        raise ServerError(
            f"{name}: no such model; write server:MODEL@URL, such as "
            "server:qwen3@http://localhost:8000/v1, and the URLs of further servers after commas"
        )
    if len(set(urls)) < len(urls):
        raise ServerError(f"{name}: one base URL is given twice; give each once")
    return Address(model, urls)


def split_address(name: str) -> tuple[str, str]:
    """Return (model, base URLs) of "MODEL@URL,URL"; the base URLs are "" if there is no "@".

    The last "@" before the first URL separates them, since names of models may contain "@" and
    ":" themselves, such as "qwen3-8b@q4_k_m" in LM Studio.
    """
    scheme = name.find("://")
    at = name.rfind("@", 0, scheme if scheme >= 0 else None)
    return (name[:at], name[at + 1 :]) if at >= 0 else (name, "")


def with_version(url: str) -> str:
    """Return the normalised base URL, with /v1 if it has no path."""
    url = normalise_url(url)
    return url if is_invalid_url(url) or urlsplit(url).path else f"{url}/v1"


def is_openai_host(url: str) -> bool:
    """Whether a base URL is on OpenAI's own host, over TLS."""
    return url.startswith("https:") and (host_of(url), port_of(url)) == (OPENAI_HOST, 443)


def key_variable(url: str, variable: str) -> str:
    """Return the environment variable with a server's key: `variable`, or OpenAI's for its host."""
    return OPENAI_KEY if is_openai_host(url) else variable


def key_place(url: str, variable: str) -> str:
    """Return where the user puts a server's key, for messages."""
    host = urlsplit(url).netloc
    return OPENAI_KEY if is_openai_host(url) else f"{variable} as {host}=KEY"


def key_for(url: str, variable: str, error: type[SteertuiError] = ServerError) -> str:
    """Return the API key of a server from the environment; "" if there is none.

    OPENAI_API_KEY is for OpenAI's host only. Every other host gets the key that `variable` binds to
    it. Raises `error` if a key is bound to no host, or would be sent over plain HTTP to another
    machine.
    """
    if is_openai_host(url):
        return os.environ.get(OPENAI_KEY, "").strip()
    keys = dict(_bound_keys(variable, error))
    host = host_of(url)
    key = keys.get((host, port_of(url))) or keys.get((host, None)) or ""
    if key and not url.startswith("https:") and not is_loopback(url):
        raise error(
            f"{url}: {variable} has a key for this host, and plain HTTP would expose it on the "
            "network; use https, or remove the key from the variable"
        )
    return key


def _bound_keys(
    variable: str, error: type[SteertuiError]
) -> Iterator[tuple[tuple[str, int | None], str]]:
    """Yield ((host, port or None for any port), key) of an environment variable."""
    for entry in os.environ.get(variable, "").split(","):
        if not entry.strip():
            continue
        place, _, key = entry.strip().partition("=")
        key = key.strip()
        url = f"https://{place.strip()}"
        if not key.strip("=") or has_secret(place) or "/" in place or is_invalid_url(url):
            raise error(
                f"{variable}: a key in it is not bound to a host, so it is not sent; write "
                f"{variable}=HOST=KEY, such as provider.example=KEY or localhost:8000=KEY, several "
                "with commas"
            )
        yield (host_of(url), urlsplit(url).port), key
