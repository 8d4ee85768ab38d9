"""An Address: the name of a model, and the servers that have it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from steertui.core.model import SERVER_PREFIX
from steertui.errors import ServerError, SteertuiError
from steertui.urls import has_secret, host_of, is_loopback, is_odd, port_of, tidy

OPENAI = "https://api.openai.com/v1"

OPENAI_HOST = "api.openai.com"

OPENAI_KEY = "OPENAI_API_KEY"

KEY = "STEERTUI_SERVER_KEY"
"""The environment variable that holds keys as "HOST=KEY,HOST:PORT=KEY"; never for OpenAI's host."""


@dataclass(frozen=True, slots=True)
class Address:
    """What "server:MODEL@URL,URL" means. It holds no key.

    Attributes:
        model: what the servers call it.
        urls: the API's addresses, such as "http://localhost:8000/v1"; they share the work.
    """

    model: str
    urls: tuple[str, ...]

    def __str__(self) -> str:
        return f"{SERVER_PREFIX}{self.model}@{','.join(self.urls)}"


def parse_address(name: str) -> Address:
    """Return the address that a model's name means; raises ServerError where it is none."""
    model, _, listed = name.removeprefix(SERVER_PREFIX).partition("@")
    if has_secret(listed):
        raise ServerError(
            f"server:{model}: an address holds a password, a query or a fragment, and addresses "
            f"are stored; put the key into the environment: {KEY}=HOST=KEY"
        )
    urls = tuple(with_version(url.strip()) for url in listed.split(",") if url.strip())
    if not model or not urls or any(is_odd(url) for url in urls):
        raise ServerError(
            f"{name}: no such model; write server:MODEL@URL, such as "
            "server:qwen3@http://localhost:8000/v1, and further servers behind it with commas"
        )
    if len(set(urls)) < len(urls):
        raise ServerError(f"{name}: one address stands there twice; name each once")
    return Address(model, urls)


def with_version(url: str) -> str:
    """Return the address in its usual form, with /v1 if it has no path."""
    url = tidy(url)
    return url if is_odd(url) or urlsplit(url).path else f"{url}/v1"


def is_openai_host(url: str) -> bool:
    """Whether the address is OpenAI's own host, over TLS."""
    return url.startswith("https:") and (host_of(url), port_of(url)) == (OPENAI_HOST, 443)


def key_variable(url: str, variable: str) -> str:
    """Return the environment variable that holds an address's key."""
    return OPENAI_KEY if is_openai_host(url) else variable


def key_place(url: str, variable: str) -> str:
    """Return where a user puts the key of an address, for messages."""
    host = urlsplit(url).netloc
    return OPENAI_KEY if is_openai_host(url) else f"{variable} as {host}=KEY"


def key_for(url: str, variable: str, error: type[SteertuiError] = ServerError) -> str:
    """Return the key for an address from the environment, "" if there is none.

    OpenAI's own host gets OPENAI_API_KEY, and no other host gets that one. Every other host gets
    the key that `variable` binds to it. Raises `error` if a key is bound to no host, or would go
    over plain http to another machine.
    """
    if is_openai_host(url):
        return os.environ.get(OPENAI_KEY, "").strip()
    bound = dict(_bound_keys(variable, error))
    host = host_of(url)
    key = bound.get((host, port_of(url))) or bound.get((host, None)) or ""
    if key and not url.startswith("https:") and not is_loopback(url):
        raise error(
            f"{url}: {variable} holds a key for this host, and plain http would show it to the "
            "network; use https, or take the key out of the variable"
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
        url = f"https://{place.strip()}"
        key = key.strip()
        if not key.strip("=") or has_secret(place) or "/" in place or is_odd(url):
            raise error(
                f"{variable}: a key in it is bound to no host, so it is sent nowhere; write "
                f"{variable}=HOST=KEY, such as provider.example=KEY or localhost:8000=KEY, several "
                "with commas"
            )
        yield (host_of(url), urlsplit(url).port), key
