"""Server metadata: kind of server, model, weights, chat template, limits."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from steertui.core.model import STAND_IN_TITLE
from steertui.errors import ServerError
from steertui.server.address import is_openai_host
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

MAX_LISTED = 20
"""Model names quoted in an error."""

MAX_NAME = 80
"""Characters of a name or version that are shown."""

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
    def kind_name(self) -> str:
        """The server kind in words."""
        return "a server of unknown kind" if self.kind == "unknown" else self.kind


class ServerConnection(Protocol):
    """Connection to a server; `server.client.Client` implements it."""

    url: str

    async def get(self, path: str) -> object:
        """Return the JSON at a path below the base URL, or at a URL."""

    async def post(self, path: str, body: dict[str, Any]) -> object:
        """Send a request; return the JSON of the response."""


async def probe_server(
    client: ServerConnection, model: str, failures: tuple[type[Exception], ...]
) -> ServerInfo:
    """Request a server's metadata for a model.

    `failures` are the exceptions that the client raises. Raises ServerError if the server does not
    have the model, and the client's exceptions if its list of models cannot be fetched.
    """
    models = _model_entries(await client.get("/models"))
    entry = _find_entry(models, model, client.url)
    reader = _MetadataReader(client, entry, failures)
    kind = _KIND_BY_OWNER.get(str(entry.get("owned_by")), "unknown")
    if is_openai_host(client.url):
        kind = "OpenAI"
    elif kind == "unknown" and (await reader.fetch("/api/version")).get("version"):
        kind = "Ollama"
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

    def __init__(
        self,
        client: ServerConnection,
        entry: dict[str, Any],
        failures: tuple[type[Exception], ...],
    ) -> None:
        self._client = client
        self._entry = entry
        self._id = text_of(entry["id"])
        self._failures = failures
        self._root = client.url.removesuffix("/v1")

    async def fetch(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path above the base URL's /v1; {} if there is none."""
        url = self._root + path
        try:
            data = await (self._client.post(url, body) if body else self._client.get(url))
        except self._failures:
            return {}
        return table_of(data)

    async def llama_server(self) -> ServerInfo:
        """Read /props and /tokenize of llama-server."""
        props = await self.fetch("/props")
        meta = table_of(self._entry.get("meta"))
        file = _file_name(text_of(props.get("model_path")) or self._id)
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
        )


def _model_entries(data: object) -> list[dict[str, Any]]:
    entries = tables_of(table_of(data).get("data"))
    return [entry for entry in entries if isinstance(entry.get("id"), str)]


def _find_entry(entries: list[dict[str, Any]], model: str, url: str) -> dict[str, Any]:
    for entry in entries:
        aliases = entry.get("aliases")
        if entry["id"] == model or (isinstance(aliases, list) and model in aliases):
            return entry
    by_file_name = [entry for entry in entries if _stem(entry["id"]) == model]
    if len(by_file_name) == 1:
        return by_file_name[0]
    if not entries:
        raise ServerError(
            f"server:{model}: {url} lists no models; check the base URL (for most servers it ends "
            "in /v1)"
        )
    names = ", ".join(one_line(entry["id"], MAX_NAME) for entry in entries[:MAX_LISTED])
    raise ServerError(f"server:{model}: {url} does not have this model; it has {names}")


def _stem(path: str) -> str:
    """Return a path's file name without the extension of a GGUF."""
    return _file_name(path).removesuffix(".gguf")


def _file_name(path: str) -> str:
    return PurePosixPath(PureWindowsPath(path).as_posix()).name


def _has_text(value: object) -> bool:
    return bool(value and text_of(value))


def _version(value: object) -> str:
    return one_line(text_of(value), MAX_NAME)


def _source(root: str) -> str:
    """Return a repository's name unchanged, or the last part of a folder's path."""
    is_folder = root.startswith(("/", "~", ".")) or "\\" in root or root.count("/") > 1
    return _file_name(root) if is_folder else root
