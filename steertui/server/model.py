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
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.model_list import ServerConnection, unknown_model
from steertui.server.probe import ServerInfo, ServerKind, probe_server
from steertui.server.protocol import Body
from steertui.server.rejected_settings import adapted
from steertui.untrusted import count, one_line

RENDERING_KINDS: frozenset[ServerKind] = frozenset({"Ollama", "OpenAI"})
"""Servers that apply the chat template to every prompt, also to one that is already rendered."""

PROBE_TOKENS = 16
"""New tokens of a probe request. Some thinking models reject a limit of one token."""

PROBE_TIMEOUT = 10.0
"""Seconds for each metadata request."""

TEMPORARY = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses that say nothing about the model or the request."""

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
        """Server, number of addresses, prompt mode and what was adapted to it, in words."""
        count = len(self.address.urls)
        mode = "rendered prompts"
        if self.prompt_mode == "messages":
            mode = "chat messages, which it renders itself"
        addresses = f"{count} address{'es' * (count > 1)}"
        parts = [f"{self.info.description} at {addresses}, given {mode}", *self.info.adaptations]
        return "; ".join(parts)


def find_server_model(name: str, template: str = "") -> ServerModel:
    """Return the model "server:MODEL@URL,URL", with the metadata that its servers report.

    `template` replaces the chat template that the servers report; servers without either get chat
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
    rejected = frozenset[str]().union(*(info.rejected_settings for info in infos.values()))
    merges = any(info.merges_system for info in infos.values())
    return replace(first, rejected_settings=rejected, merges_system=merges)


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
    from steertui.server.client import Client

    async with Client(url, key_for(url, KEY), timeout=PROBE_TIMEOUT, retries=0) as client:
        try:
            info = await probe_server(client, model)
            if info.kind not in RENDERING_KINDS:
                info = replace(info, template=template or info.template)
            if info.kind != "Ollama":  # it rejects no setting, and would have to load its model
                info = await _adapted_to(client, info)
            await _require_model(client, info)
        except ConnectionFailed as exc:
            return exc.cause
        except RequestRejected as exc:
            if exc.is_key_rejected:
                raise key_rejected(model, url, exc.status) from None
            if exc.status in TEMPORARY:
                return str(exc)
            raise ServerError(
                f"{SERVER_PREFIX}{model}: {url} does not answer ({exc}); check the name of the "
                "model and the base URL (for most servers it ends in /v1)"
            ) from None
    return info


async def _adapted_to(client: ServerConnection, info: ServerInfo) -> ServerInfo:
    """Return the metadata with what the server rejects in a request for a few tokens.

    The template is dropped if the server has no completions endpoint. Settings that its error
    names are renamed or left out, and the request is sent again. Raises RequestRejected if the
    server does not have a model that it does not list.
    """
    while True:
        path, request = _probe_request(info, info.id)
        try:
            await client.post(path, request)
        except RequestRejected as exc:
            changed = adapted(info, request, exc)
            if info.template and exc.status in (404, 405, 501):
                changed = replace(info, template="")
            if changed is None:
                _require_known(info, client.url, exc)
                return info
            info = changed
        except ConnectionFailed:
            return info
        else:
            return info


def _require_known(info: ServerInfo, url: str, error: RequestRejected) -> None:
    """Raise if a server's error means that it does not have a model that it does not list."""
    is_temporary = error.status in TEMPORARY or error.is_filtered
    if info.is_listed or is_temporary:
        return
    if error.is_unknown_model:
        raise unknown_model(info.id, url, info.other_models)
    raise error


async def _require_model(client: ServerConnection, info: ServerInfo) -> None:
    """Raise ServerError if a server that does not list the model answers whatever the name is."""
    if info.is_listed or not info.other_models:
        return
    path, request = _probe_request(info, f"{info.id}-no-such-model")
    try:
        await client.post(path, request)
    except RequestRejected:
        return
    raise unknown_model(info.id, client.url, info.other_models)


def _probe_request(info: ServerInfo, model: str) -> tuple[str, Body]:
    """Return path and body of a request for a few tokens at temperature 1, the API's default."""
    content: PromptContent = chat_messages("Be brief.", "Hi", thinking=True, info=info)
    if info.template:
        content = RenderedPrompt("Hi")
    sampling = SamplingParams(temperature=1.0, max_tokens=PROBE_TOKENS)
    request = completion_request(info, content, sampling, seed=1)
    return request_path(content), request | {"model": model}


def key_rejected(model: str, url: str, status: int) -> ServerError:
    """Return the error for a server that rejects the API key."""
    return ServerError(
        f"{SERVER_PREFIX}{model}: {url} does not accept the key (HTTP {status}); put a valid one "
        f"into {key_place(url, KEY)}"
    )
