"""A ServerModel: a model behind servers, asked about itself before anything is planned."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from steertui.assets.catalogue import kind_of
from steertui.core.generation import SamplingParams
from steertui.core.model import Kind, Model
from steertui.errors import ServerError
from steertui.server.address import KEY, SERVER, Address, key_for, key_place, parse_address
from steertui.server.completions import OPTIONAL, PATHS, PromptMode, body, messages
from steertui.server.probe import ServerInfo, SupportsGet, probe_server

WRITING = ("Ollama", "OpenAI")
"""Makes that write every prompt themselves, even one that is given whole."""

STRANGE = ("OpenAI", "unknown")
"""Makes that may refuse even a neutral setting."""

FEW = 16
"""New tokens of a greeting; models that think before they answer refuse to write just one."""

ASKING = 10.0
"""Seconds that a server has to tell of itself."""


_NOWHERE, _NOTHING = Address("", ()), ServerInfo()


@dataclass(frozen=True, slots=True)
class ServerModel(Model):
    """A model behind servers; its identity is what they tell of its weights.

    Attributes:
        address: its name and its servers'.
        told: what the first that answered tells of itself.
        form: what it is given: the prompt that we rendered, or chat messages.
        away: (address, why) of the servers that did not answer when they were asked first.
    """

    address: Address = _NOWHERE
    told: ServerInfo = _NOTHING
    form: PromptMode = "messages"
    away: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """Say what serves it and how it is asked."""
        many = len(self.address.urls)
        how = "our prompts" if self.form == "prompt" else "chat messages, which it renders itself"
        left = sorted(self.told.left_out)
        without = f"; it takes no {', '.join(left)}" if left else ""
        return f"{self.told.words} at {many} address{'es' * (many > 1)}, given {how}{without}"

    def given(self, form: PromptMode) -> "ServerModel":
        """Return the model asked in this form."""
        return replace(self, form=form)


def find_server_model(name: str, template: str = "") -> ServerModel:
    """Return the model that "server:MODEL@URL,URL" means, as its servers tell of it.

    `template` is the chat template for servers that tell none, "" to give them chat messages.

    Raises ServerError where the name is none, where no server answers, where one has not the model
    or refuses the key, and where two tell of different weights.
    """
    address = parse_address(name)
    found = in_own_loop(lambda: _ask_all(address, template))
    here = {url: told for url, told in found.items() if isinstance(told, ServerInfo)}
    away = {url: why for url, why in found.items() if isinstance(why, str)}
    if not here:
        url, why = next(iter(away.items()))
        raise ServerError(
            f"{SERVER}{address.model}: no server answers at {url} ({why}); start it, or check the "
            "address"
        )
    first, told = next(iter(here.items()))
    for url, other in here.items():
        if other.identity != told.identity:
            raise ServerError(
                f"{SERVER}{address.model}: {first} and {url} tell of different weights "
                f"({_weights(told)}; {_weights(other)}); name them as two models"
            )
    return ServerModel(
        name=f"{SERVER}{address.model}",
        path=Path(),
        sha256=told.identity,
        size=int(dict(told.weights).get("size", "0")),
        origin=str(address),
        kind=_kind(told),
        address=address,
        told=told,
        form="prompt" if told.template else "messages",
        away=tuple(away.items()),
    )


T = TypeVar("T")


def in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what asynchronous work gives, whether or not this thread has a loop already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def _weights(told: ServerInfo) -> str:
    return f"{told.make}: " + ", ".join(f"{what} {value}" for what, value in told.weights)


def _kind(told: ServerInfo) -> Kind:
    names = (name.rpartition("/")[2].removesuffix(".gguf") for name in (told.source, told.id))
    found: list[Kind] = [kind_of(f"{name}.gguf") for name in names]
    return next((kind for kind in found if kind), "")


async def _ask_all(address: Address, template: str) -> dict[str, ServerInfo | str]:
    asked = (_ask(url, address.model, template) for url in address.urls)
    return dict(zip(address.urls, await asyncio.gather(*asked), strict=True))


async def _settled(client: SupportsGet, told: ServerInfo) -> ServerInfo:
    """Return what was told, less what the first few tokens show that the server does not take:
    prompts of our own, and neutral settings that it refuses by name."""
    from steertui.server.client import ConnectionFailed, RequestRejected

    greeting = SamplingParams(max_tokens=FEW)
    while told.template or told.make in STRANGE:
        form: PromptMode = "prompt" if told.template else "messages"
        text = "Hi" if told.template else messages("", "Hi", thinking=True)
        try:
            await client.post(PATHS[form], body(told, form, text, greeting, 1))
        except RequestRejected as exc:
            named = {name for name in OPTIONAL - told.left_out if name in exc.said}
            if told.template and exc.status in (404, 405, 501):
                told = replace(told, template="")
                continue
            if named and exc.status in (400, 422):
                told = replace(told, left_out=told.left_out | named)
                continue
        except ConnectionFailed:
            pass
        break
    return told


async def _ask(url: str, model: str, template: str) -> ServerInfo | str:
    """Return what a server tells, or why it cannot be reached."""
    from steertui.server.client import Client, ConnectionFailed, RequestRejected

    async with Client(url, key_for(url, KEY), timeout=ASKING, retries=0) as client:
        try:
            told = await probe_server(client, model, (RequestRejected, ConnectionFailed))
            if told.make not in WRITING:
                told = replace(told, template=told.template or template)
            return await _settled(client, told)
        except ConnectionFailed as exc:
            return exc.cause
        except RequestRejected as exc:
            if exc.status in (401, 403):
                raise refused_key(model, url, exc.status) from None
            if exc.status in (429, 500, 502, 503, 504):
                return str(exc)
            raise ServerError(
                f"{SERVER}{model}: {url} lists no models ({exc}); check the address (most "
                "servers' ends in /v1)"
            ) from None


def refused_key(model: str, url: str, status: int) -> ServerError:
    """Return the error of a server that does not accept the key."""
    return ServerError(
        f"{SERVER}{model}: {url} does not accept the key (HTTP {status}); put a valid one into "
        f"{key_place(url, KEY)}"
    )
