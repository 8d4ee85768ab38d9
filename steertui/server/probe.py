"""What a server tells of itself: its make, its model and weights, how prompts are written."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from steertui.core.model import STAND_IN
from steertui.errors import ServerError
from steertui.server.address import OPENAI

ServerKind = Literal["llama-server", "vLLM", "SGLang", "Ollama", "OpenAI", "unknown"]
"""Whose program a server is: decides which settings it is known to heed."""

_OWNERS: dict[str, ServerKind] = {"llamacpp": "llama-server", "vllm": "vLLM", "sglang": "SGLang",
                            "library": "Ollama"}  # fmt: skip

_DEMO_SIZE = 10_000_000


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """One server's own words.

    Attributes:
        id: what it calls the model.
        source: the file or repository of the weights, without folders; "" where it does not say.
        weights: (what, value) pairs that tell these weights from others.
        version: of the server.
        context: longest prompt and answer together, in tokens; 0 where it does not say.
        slots: answers that it writes at once; 0 where it does not say.
        template: its chat template, "" where it does not say.
        bos: the text of the token that begins a sequence.
        adds_bos: whether it puts that token before a prompt by itself.
        left_out: settings that it refuses, and that are not sent: neutral ones, and the seed.
    """

    make: ServerKind = "unknown"
    id: str = ""
    source: str = ""
    weights: tuple[tuple[str, str], ...] = ()
    version: str = ""
    context: int = 0
    slots: int = 0
    template: str = ""
    bos: str = ""
    eos: str = ""
    adds_bos: bool = False
    left_out: frozenset[str] = frozenset()

    @property
    def identity(self) -> str:
        """64 hex digits, the same for the same weights behind the same make of server.

        Of a GGUF on this machine it is the sha256 of the file, so the two never meet.
        """
        text = json.dumps(["server", self.make, self.weights], ensure_ascii=False)
        return sha256(text.encode()).hexdigest()

    @property
    def title(self) -> str:
        """What the model calls itself, as near as the server tells."""
        size = int(dict(self.weights).get("size", "0"))
        is_demo = self.source == "demo.gguf" and size < _DEMO_SIZE
        return f"{STAND_IN}, served" if is_demo else self.source or self.id

    @property
    def words(self) -> str:
        """Say it: "vLLM 0.11.0"."""
        make = "a server of unknown make" if self.make == "unknown" else self.make
        return f"{make} {self.version}".strip()


class SupportsGet(Protocol):
    """What asks a server; the door to openai has the only one."""

    url: str

    async def get(self, path: str) -> object:
        """Ask for what lies at a path or address."""

    async def post(self, path: str, body: dict[str, Any]) -> object:
        """Send a request."""


async def probe_server(
    client: SupportsGet, model: str, refusals: tuple[type[Exception], ...]
) -> ServerInfo:
    """Ask a server about itself and a model; `refusals` are what a client raises.

    Raises ServerError where it does not have the model, and the client's own exceptions where it
    cannot be asked at all.
    """
    listed = _list(await client.get("/models"))
    entry = _choose(listed, model, client.url)
    make = _OWNERS.get(str(entry.get("owned_by")), "unknown")
    root = client.url.removesuffix("/v1")

    async def look(path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            found = await (client.post(root + path, body) if body else client.get(root + path))
        except refusals:
            return {}
        return found if isinstance(found, dict) else {}

    if client.url == OPENAI:
        make = "OpenAI"
    elif make == "unknown" and (await look("/api/version")).get("version"):
        make = "Ollama"
    reader = {"llama-server": _of_llama, "vLLM": _of_vllm, "SGLang": _of_sglang,
              "Ollama": _of_ollama}.get(make, _of_stranger)  # fmt: skip
    return await reader(entry, look, client.url)


def _list(data: object) -> list[dict[str, Any]]:
    listed = data.get("data") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        return []
    return [e for e in listed if isinstance(e, dict) and isinstance(e.get("id"), str)]


def _choose(listed: list[dict[str, Any]], model: str, url: str) -> dict[str, Any]:
    for entry in listed:
        if model in (entry["id"], *(entry.get("aliases") or ())):
            return entry
    short = [entry for entry in listed if _stem(entry["id"]) == model]
    if len(short) == 1:
        return short[0]
    if not listed:
        raise ServerError(
            f"server:{model}: {url} lists no model; check the address (most servers' ends in /v1)"
        )
    names = ", ".join(entry["id"] for entry in listed[:20])
    raise ServerError(f"server:{model}: {url} has no such model; it has {names}")


def _stem(path: str) -> str:
    """Return a path's last part, without the ending of a GGUF."""
    return _file(path).removesuffix(".gguf")


def _file(path: str) -> str:
    return PurePosixPath(PureWindowsPath(path).as_posix()).name


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) and value == value else 0


async def _of_llama(entry: dict[str, Any], look: Any, _url: str) -> ServerInfo:
    props, meta = await look("/props"), entry.get("meta") or {}
    file = _file(str(props.get("model_path") or entry["id"]))
    kept = {"file": file, "ftype": props.get("model_ftype") or meta.get("ftype")}
    kept |= {name: meta.get(name) for name in ("n_params", "size", "n_vocab")}
    begun = await look("/tokenize", {"content": "", "add_special": True})
    return ServerInfo(
        "llama-server", entry["id"], file,
        tuple((name, str(value)) for name, value in kept.items() if value),
        str(props.get("build_info") or ""),
        _number((props.get("default_generation_settings") or {}).get("n_ctx")),
        _number(props.get("total_slots")),
        str(props.get("chat_template") or ""), str(props.get("bos_token") or ""),
        str(props.get("eos_token") or ""), bool(begun.get("tokens")),
    )  # fmt: skip


async def _of_vllm(entry: dict[str, Any], look: Any, _url: str) -> ServerInfo:
    root = str(entry.get("root") or entry["id"])
    version = str((await look("/version")).get("version") or "")
    context = _number(entry.get("max_model_len"))
    weights = [("root", _source(root))]
    if entry.get("parent"):  # an adapter: the weights below it count as well
        weights.append(("parent", str(entry["parent"])))
    return ServerInfo("vLLM", entry["id"], _source(root), tuple(weights), version, context)


async def _of_sglang(entry: dict[str, Any], look: Any, _url: str) -> ServerInfo:
    info = await look("/model_info") or await look("/get_model_info")
    root = _source(str(info.get("model_path") or entry.get("root") or entry["id"]))
    server = await look("/server_info") or await look("/get_server_info")
    context = _number(entry.get("max_model_len"))
    weights = [("root", root)]
    if info.get("weight_version") not in (None, "", "default"):
        weights.append(("version", str(info["weight_version"])))
    version = str(server.get("version") or "")
    return ServerInfo("SGLang", entry["id"], root, tuple(weights), version, context)


async def _of_ollama(entry: dict[str, Any], look: Any, _url: str) -> ServerInfo:
    version = str((await look("/api/version")).get("version") or "")
    tags = (await look("/api/tags")).get("models") or []
    name = entry["id"]
    digest = next((str(t.get("digest") or "") for t in tags if t.get("name") == name), "")
    loaded = (await look("/api/ps")).get("models") or []
    context = next((_number(m.get("context_length")) for m in loaded if m.get("name") == name), 0)
    kept = (("name", name), *((("digest", digest),) if digest else ()))
    return ServerInfo("Ollama", name, name, kept, version, context)


async def _of_stranger(entry: dict[str, Any], _look: Any, url: str) -> ServerInfo:
    host = urlsplit(url).hostname or ""
    make: ServerKind = "OpenAI" if url == OPENAI else "unknown"
    context = _number(entry.get("max_model_len") or entry.get("context_length"))
    return ServerInfo(make, entry["id"], "", (("host", host), ("id", entry["id"])), context=context)


def _source(root: str) -> str:
    """Return a repository's name as it is, of a folder only its own name."""
    is_folder = root.startswith(("/", "~", ".")) or "\\" in root or root.count("/") > 1
    return _file(root) if is_folder else root
