"""An Address: the name of a model, and the servers that have it."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from steertui.core.model import SERVER_PREFIX
from steertui.errors import ServerError

OPENAI = "https://api.openai.com/v1"

OPENAI_HOST = "api.openai.com"

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

KEY = "STEERTUI_SERVER_KEY"


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
    urls = tuple(with_version(url.strip()) for url in listed.split(",") if url.strip())
    if not model or not urls or any(is_odd(url) for url in urls):
        raise ServerError(
            f"{name}: no such model; write server:MODEL@URL, such as "
            "server:qwen3@http://localhost:8000/v1, and further servers behind it with commas"
        )
    for url in urls:
        if has_secret(url):
            raise ServerError(
                f"server:{model}: an address holds a password or a query, and addresses are "
                f"stored; put the key into the environment as {KEY}"
            )
    if len(set(urls)) < len(urls):
        raise ServerError(f"{name}: one address stands there twice; name each once")
    return Address(model, urls)


def with_version(url: str) -> str:
    """Return the address without a slash at its end, and with /v1 where it has no path at all."""
    url = url.rstrip("/")
    return f"{url}/v1" if "://" in url and not is_odd(url) and not urlsplit(url).path else url


def is_odd(url: str) -> bool:
    """Whether it is no http address."""
    try:
        parts = urlsplit(url)
        return parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        return True


def has_secret(url: str) -> bool:
    """Whether an address holds a password or a query, which must not be stored."""
    parts = urlsplit(url)
    return bool(parts.username or parts.password or parts.query)


def is_openai_host(url: str) -> bool:
    """Whether a base URL is on OpenAI's own host, over TLS."""
    parts = urlsplit(url)
    return (parts.scheme, parts.hostname) == ("https", OPENAI_HOST) and parts.port in (None, 443)


def key_for(url: str, variable: str) -> str:
    """Return the key for an address from the environment, "" for none.

    OpenAI's own server gets the key in OPENAI_API_KEY, and nobody else gets that one.
    """
    return os.environ.get("OPENAI_API_KEY" if is_openai_host(url) else variable, "").strip()
