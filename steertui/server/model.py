"""Models behind servers, probed before anything is planned."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from steertui.assets.catalogue import kind_of
from steertui.core.generation import SamplingParams
from steertui.core.model import SERVER_PREFIX, Model, ModelKind
from steertui.core.prompt import PromptContent, RenderedPrompt
from steertui.errors import ServerError
from steertui.server.address import KEY, Address, key_for, key_place, parse_address
from steertui.server.completions import (
    PromptMode,
    chat_messages,
    completion_request,
    request_path,
)
from steertui.server.probe import ServerConnection, ServerInfo, ServerKind, probe_server
from steertui.server.protocol import OPTIONAL_SETTINGS
from steertui.untrusted import count, one_line

RENDERING_KINDS: frozenset[ServerKind] = frozenset({"Ollama", "OpenAI"})
"""Servers that apply the chat template to every prompt, also to one that is already rendered."""

STRICT_KINDS: frozenset[ServerKind] = frozenset({"OpenAI", "unknown"})
"""Servers that may reject a setting even at its neutral value."""

PROBE_TOKENS = 16
"""New tokens of a probe request. Some thinking models reject a limit of one token."""

PROBE_TIMEOUT = 10.0
"""Seconds for each metadata request."""

T = TypeVar("T")

_NO_ADDRESS = Address("", ())
_NO_INFO = ServerInfo()


@dataclass(frozen=True, slots=True)
class ServerModel(Model):
    """A model behind one or more servers, identified by the weights that they report.

    Attributes:
        address: the model's name and the servers' base URLs.
        info: metadata of the first server that responded.
        prompt_mode: whether the servers get rendered prompts or chat messages.
        unreachable: (base URL, reason) of the servers that did not respond to the probe.
    """

    address: Address = _NO_ADDRESS
    info: ServerInfo = _NO_INFO
    prompt_mode: PromptMode = "messages"
    unreachable: tuple[tuple[str, str], ...] = ()

    @property
    def description(self) -> str:
        """Server, number of addresses, prompt mode and rejected settings, in words."""
        count = len(self.address.urls)
        mode = "rendered prompts"
        if self.prompt_mode == "messages":
            mode = "chat messages, which it renders itself"
        rejected = ", ".join(sorted(self.info.rejected_settings))
        suffix = f"; not accepted: {rejected}" if rejected else ""
        addresses = f"{count} address{'es' * (count > 1)}"
        return f"{self.info.description} at {addresses}, given {mode}{suffix}"


def find_server_model(name: str, template: str = "") -> ServerModel:
    """Return the model "server:MODEL@URL,URL", with the metadata that its servers report.

    `template` is the chat template for servers that report none; without one they get chat
    messages.

    Raises ServerError if the name is malformed, no server responds, a server does not have the
    model or rejects the key, or two servers report different weights.
    """
    address = parse_address(name)
    probed = run_async(lambda: _probe_all(address, template))
    infos = {url: info for url, info in probed.items() if isinstance(info, ServerInfo)}
    unreachable = {url: reason for url, reason in probed.items() if isinstance(reason, str)}
    if not infos:
        url, reason = next(iter(unreachable.items()))
        raise ServerError(
            f"{SERVER_PREFIX}{address.model}: no server responds at {url} ({reason}); start it, or "
            "check the base URL"
        )
    info = _common_info(address, infos)
    return ServerModel(
        name=f"{SERVER_PREFIX}{address.model}",
        path=Path(),
        sha256=info.identity,
        size=count(dict(info.weights).get("size")),
        origin=str(address),
        kind=_model_kind(info),
        address=address,
        info=info,
        prompt_mode="prompt" if info.template else "messages",
        unreachable=tuple(unreachable.items()),
    )


def run_async(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return the result of asynchronous work, run in an event loop of its own.

    Works whether or not this thread already runs an event loop.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def _common_info(address: Address, infos: dict[str, ServerInfo]) -> ServerInfo:
    """Return the first server's metadata; raises ServerError if the weights differ."""
    first_url, first = next(iter(infos.items()))
    for url, info in infos.items():
        if info.identity != first.identity:
            raise ServerError(
                f"{SERVER_PREFIX}{address.model}: {first_url} and {url} report different weights "
                f"({_weights_text(first)}; {_weights_text(info)}); name them as two models"
            )
    return first


def _weights_text(info: ServerInfo) -> str:
    weights = (f"{name} {one_line(value)}" for name, value in info.weights)
    return f"{info.kind}: " + ", ".join(weights)


def _model_kind(info: ServerInfo) -> ModelKind:
    names = [name.rpartition("/")[2].removesuffix(".gguf") for name in (info.source, info.id)]
    kinds: list[ModelKind] = [kind_of(f"{name}.gguf") for name in names]
    return next((kind for kind in kinds if kind), "")


async def _probe_all(address: Address, template: str) -> dict[str, ServerInfo | str]:
    """Return each server's metadata, or why it cannot be reached."""
    probes = (_probe(url, address.model, template) for url in address.urls)
    return dict(zip(address.urls, await asyncio.gather(*probes), strict=True))


async def _probe(url: str, model: str, template: str) -> ServerInfo | str:
    """Return a server's metadata, or why it cannot be reached."""
    from steertui.server.client import Client, ConnectionFailed, RequestRejected

    async with Client(url, key_for(url, KEY), timeout=PROBE_TIMEOUT, retries=0) as client:
        try:
            info = await probe_server(client, model, (RequestRejected, ConnectionFailed))
            if info.kind not in RENDERING_KINDS:
                info = replace(info, template=info.template or template)
            return await _without_rejected_settings(client, info)
        except ConnectionFailed as exc:
            return exc.cause
        except RequestRejected as exc:
            if exc.is_key_rejected:
                raise key_rejected(model, url, exc.status) from None
            if exc.status in (429, 500, 502, 503, 504):
                return str(exc)
            raise ServerError(
                f"{SERVER_PREFIX}{model}: {url} lists no models ({exc}); check the base URL "
                "(for most servers it ends in /v1)"
            ) from None


async def _without_rejected_settings(client: ServerConnection, info: ServerInfo) -> ServerInfo:
    """Return the metadata without what the server rejects in a request for a few tokens.

    The template is dropped if the server has no completions endpoint. Settings that its error
    names are added to `rejected_settings`, and the request is repeated without them.
    """
    from steertui.server.client import ConnectionFailed, RequestRejected

    sampling = SamplingParams(max_tokens=PROBE_TOKENS)
    while info.template or info.kind in STRICT_KINDS:
        content: PromptContent = chat_messages("", "Hi", thinking=True)
        if info.template:
            content = RenderedPrompt("Hi")
        request = completion_request(info, content, sampling, seed=1)
        try:
            await client.post(request_path(content), request)
        except RequestRejected as exc:
            if info.template and exc.status in (404, 405, 501):
                info = replace(info, template="")
                continue
            candidates = OPTIONAL_SETTINGS - info.rejected_settings
            named = {name for name in candidates if name in exc.message}
            if named and exc.status in (400, 422):
                info = replace(info, rejected_settings=info.rejected_settings | named)
                continue
        except ConnectionFailed:
            pass
        break
    return info


def key_rejected(model: str, url: str, status: int) -> ServerError:
    """Return the error for a server that rejects the API key."""
    return ServerError(
        f"{SERVER_PREFIX}{model}: {url} does not accept the key (HTTP {status}); put a valid one "
        f"into {key_place(url, KEY)}"
    )
