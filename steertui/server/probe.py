"""Server metadata: kind of server, model, weights, chat template, limits."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlsplit

from steertui.core.model import STAND_IN_TITLE
from steertui.server.address import is_openai_host
from steertui.server.failures import ConnectionFailed, RequestRejected
from steertui.server.model_list import (
    MAX_NAME,
    ModelEntry,
    ServerConnection,
    fetch_entry,
    file_name,
    unknown_model,
)
from steertui.untrusted import count, one_line, table_of, tables_of, text_of

ServerKind = Literal["llama-server", "vLLM", "SGLang", "Ollama", "OpenAI", "unknown"]
"""Server software. Decides which sampling settings a server is known to apply."""

_KIND_BY_OWNER: dict[str, ServerKind] = {
    "llamacpp": "llama-server",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "library": "Ollama",
}
"""Server kind by `owned_by` in the server's list of models."""

_DEMO_SIZE = 10_000_000


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Metadata that one server reports about itself and one model.

    Attributes:
        kind: server software.
        id: the server's name for the model.
        source: file or repository of the weights, without folders; "" if not reported.
        weights: (name, value) pairs that distinguish these weights from others.
        version: of the server.
        context: longest prompt and answer together, in tokens; 0 if not reported.
        slots: answers generated in parallel; 0 if not reported.
        template: chat template; "" if not reported.
        bos: text of the token at the start of a sequence.
        eos: text of the token at the end of a sequence.
        adds_bos: whether the server puts `bos` before a prompt.
        rejected_settings: settings that the server rejects and that are not sent: neutral ones
            and the seed.
        token_limit: the server's name of the setting that limits new tokens; by default that of
            its kind.
        merges_system: whether the server rejects system messages, so that their text is sent at
            the start of the user message.
        is_listed: whether the server's list of models contains the model.
        other_models: the models in the list if it does not contain this one.
    """

    kind: ServerKind = "unknown"
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
    rejected_settings: frozenset[str] = frozenset()
    token_limit: str = ""
    merges_system: bool = False
    is_listed: bool = True
    other_models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.token_limit:
            name = "max_completion_tokens" if self.kind == "OpenAI" else "max_tokens"
            object.__setattr__(self, "token_limit", name)

    @property
    def identity(self) -> str:
        """Content identity of the served weights, 64 hex digits: same weights, same server kind.

        It never equals that of a GGUF on this machine, which is the file's sha256.
        """
        text = json.dumps(["server", self.kind, self.weights], ensure_ascii=False)
        return sha256(text.encode()).hexdigest()

    @property
    def title(self) -> str:
        """The model's own name, as far as the server reports it."""
        size = count(dict(self.weights).get("size"))
        is_demo = self.source == "demo.gguf" and size < _DEMO_SIZE
        return f"{STAND_IN_TITLE}, served" if is_demo else self.source or self.id

    @property
    def description(self) -> str:
        """Kind and version: "vLLM 0.11.0"."""
        return f"{self.kind_name} {self.version}".strip()

    @property
    def adaptations(self) -> tuple[str, ...]:
        """How requests differ from the API's form, because the server rejects it, in words."""
        parts = []
        if self.rejected_settings:
            parts.append(f"not accepted: {', '.join(sorted(self.rejected_settings))}")
        if self.token_limit != ServerInfo(self.kind).token_limit:
            parts.append(f"token limit sent as {self.token_limit}")
        if self.merges_system:
            parts.append("system messages sent at the start of the user message")
        if not self.is_listed:
            parts.append("not in its list of models")
        return tuple(parts)

    @property
    def kind_name(self) -> str:
        """The server kind in words."""
        return "a server of unknown kind" if self.kind == "unknown" else self.kind


async def probe_server(client: ServerConnection, model: str) -> ServerInfo:
    """Request a server's metadata for a model.

    Raises ServerError if the server's list lacks the model and its kind serves listed models only,
    and the client's exceptions if the server cannot be asked.
    """
    entry = await fetch_entry(client, model)
    reader = _MetadataReader(client, entry)
    kind = _KIND_BY_OWNER.get(entry.owner, "unknown")
    if is_openai_host(client.url):
        kind = "OpenAI"
    elif kind == "unknown" and (await reader.fetch("/api/version")).get("version"):
        kind = "Ollama"
    if kind not in ("unknown", "OpenAI") and not entry.is_listed:
        raise unknown_model(model, client.url, entry.others)
    if kind == "llama-server":
        return await reader.llama_server()
    if kind == "vLLM":
        return await reader.vllm()
    if kind == "SGLang":
        return await reader.sglang()
    if kind == "Ollama":
        return await reader.ollama()
    return reader.third_party(kind)


class _MetadataReader:
    """Reads the metadata endpoints of each kind of server for one entry of its list of models."""

    def __init__(self, client: ServerConnection, entry: ModelEntry) -> None:
        self._client = client
        self._listed = entry
        self._entry = entry.fields
        self._id = text_of(entry.fields["id"])
        self._root = client.url.removesuffix("/v1")

    async def fetch(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path above the base URL's /v1; {} if there is none."""
        url = self._root + path
        try:
            data = await (self._client.post(url, body) if body else self._client.get(url))
        except (RequestRejected, ConnectionFailed):
            return {}
        return table_of(data)

    async def llama_server(self) -> ServerInfo:
        """Read /props and /tokenize of llama-server."""
        props = await self.fetch("/props")
        meta = table_of(self._entry.get("meta"))
        file = file_name(text_of(props.get("model_path")) or self._id)
        weights = {"file": file, "ftype": props.get("model_ftype") or meta.get("ftype")}
        for name in ("n_params", "size", "n_vocab"):
            weights[name] = meta.get(name)
        empty_prompt = await self.fetch("/tokenize", {"content": "", "add_special": True})
        defaults = table_of(props.get("default_generation_settings"))
        return ServerInfo(
            kind="llama-server",
            id=self._id,
            source=file,
            weights=tuple(
                (name, text_of(value)) for name, value in weights.items() if _has_text(value)
            ),
            version=_version(props.get("build_info")),
            context=count(defaults.get("n_ctx")),
            slots=count(props.get("total_slots")),
            template=text_of(props.get("chat_template")),
            bos=text_of(props.get("bos_token")),
            eos=text_of(props.get("eos_token")),
            adds_bos=bool(empty_prompt.get("tokens")),
        )

    async def vllm(self) -> ServerInfo:
        """Read /version of vLLM."""
        source = _source(text_of(self._entry.get("root")) or self._id)
        weights = [("root", source)]
        parent = text_of(self._entry.get("parent"))
        if parent:  # an adapter: its base weights are part of the identity
            weights.append(("parent", parent))
        return ServerInfo(
            kind="vLLM",
            id=self._id,
            source=source,
            weights=tuple(weights),
            version=_version((await self.fetch("/version")).get("version")),
            context=count(self._entry.get("max_model_len")),
        )

    async def sglang(self) -> ServerInfo:
        """Read the model and server information of SGLang, at its new or old paths."""
        model = await self.fetch("/model_info") or await self.fetch("/get_model_info")
        server = await self.fetch("/server_info") or await self.fetch("/get_server_info")
        root = text_of(model.get("model_path")) or text_of(self._entry.get("root"))
        source = _source(root or self._id)
        weights = [("root", source)]
        version = text_of(model.get("weight_version"))
        if version not in ("", "default"):
            weights.append(("version", version))
        return ServerInfo(
            kind="SGLang",
            id=self._id,
            source=source,
            weights=tuple(weights),
            version=_version(server.get("version")),
            context=count(self._entry.get("max_model_len")),
        )

    async def ollama(self) -> ServerInfo:
        """Read version, digest and context of Ollama.

        The context is known only while the model is loaded.
        """
        version = _version((await self.fetch("/api/version")).get("version"))
        installed = tables_of((await self.fetch("/api/tags")).get("models"))
        loaded = tables_of((await self.fetch("/api/ps")).get("models"))
        digests = [text_of(m.get("digest")) for m in installed if m.get("name") == self._id]
        contexts = [count(m.get("context_length")) for m in loaded if m.get("name") == self._id]
        weights = [("name", self._id)]
        if digests and digests[0]:
            weights.append(("digest", digests[0]))
        return ServerInfo(
            kind="Ollama",
            id=self._id,
            source=self._id,
            weights=tuple(weights),
            version=version,
            context=contexts[0] if contexts else 0,
        )

    def third_party(self, kind: ServerKind) -> ServerInfo:
        """Return the metadata of OpenAI or an unknown server, identified by host and model id."""
        host = urlsplit(self._client.url).hostname or ""
        context = self._entry.get("max_model_len") or self._entry.get("context_length")
        return ServerInfo(
            kind=kind,
            id=self._id,
            weights=(("host", host), ("id", self._id)),
            context=count(context),
            is_listed=self._listed.is_listed,
            other_models=() if self._listed.is_listed else self._listed.others,
        )


def _has_text(value: object) -> bool:
    return bool(value and text_of(value))


def _version(value: object) -> str:
    return one_line(text_of(value), MAX_NAME)


def _source(root: str) -> str:
    """Return a repository's name unchanged, or the last part of a folder's path."""
    is_folder = root.startswith(("/", "~", ".")) or "\\" in root or root.count("/") > 1
    return file_name(root) if is_folder else root
