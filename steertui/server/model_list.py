"""A server's list of models, in the forms of the known servers, and the entry of one model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Protocol

from steertui.errors import ServerError
from steertui.server.failures import RequestRejected
from steertui.untrusted import one_line, table_of

MAX_LISTED = 20
"""Model names quoted in an error."""

MAX_NAME = 80
"""Characters of a name or version that are shown."""

WITHOUT_LIST = frozenset({400, 403, 404, 405, 410, 422, 501})
"""HTTP statuses of servers that have no list of models, or show it to other keys only."""

_NAME_KEYS = ("id", "name", "model", "model_name", "key")


class ServerConnection(Protocol):
    """Connection to a server; `server.client.Client` implements it.

    Both methods raise RequestRejected or ConnectionFailed.
    """

    url: str

    async def get(self, path: str) -> object:
        """Return the JSON at a path below the base URL, or at a URL."""

    async def post(self, path: str, body: dict[str, Any]) -> object:
        """Send a request; return the JSON of the response."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model's entry in a server's list.

    Attributes:
        fields: the entry; only the name if the model is not listed.
        is_listed: whether the list contains the model.
        others: names of the other models in the list.
        owner: `owned_by` of this entry, or of the first entry; "" if there is none.
    """

    fields: Mapping[str, Any]
    is_listed: bool
    others: tuple[str, ...]
    owner: str


async def fetch_entry(client: ServerConnection, model: str) -> ModelEntry:
    """Return the entry of a model, by its name, an alias or its file name.

    Raises the client's exceptions if the server cannot be asked.
    """
    try:
        entries = model_entries(await client.get("/models"))
    except RequestRejected as exc:
        if exc.status not in WITHOUT_LIST:
            raise
        entries = []
    found = _find_entry(entries, model)
    names = tuple(entry["id"] for entry in entries if entry is not found)
    source = found or next(iter(entries), {})
    return ModelEntry(
        fields=found or {"id": model},
        is_listed=found is not None,
        others=names,
        owner=str(source.get("owned_by")),
    )


def unknown_model(model: str, url: str, names: tuple[str, ...]) -> ServerError:
    """Return the error for a model that a server does not have; `names` are those that it lists."""
    listed = ", ".join(one_line(name, MAX_NAME) for name in names[:MAX_LISTED])
    suffix = f"it has {listed}" if names else "it lists no models; check the name and the base URL"
    return ServerError(f"server:{model}: {url} does not have this model; {suffix}")


def model_entries(data: object) -> list[dict[str, Any]]:
    """Return the entries of a list of models, each with its name as "id".

    OpenAI's form is `{"data": [{"id": …}]}`. Others send a bare array (Together), "models" in
    place of "data", entries with "name" or "model", names without objects, or an object by name.
    """
    table = table_of(data)
    items = data if isinstance(data, list) else table.get("data") or table.get("models")
    if isinstance(items, dict):
        items = [{"id": name} | table_of(value) for name, value in items.items()]
    if not isinstance(items, list):
        return []
    named = [({"id": i} if isinstance(i, str) else table_of(i)) for i in items]
    entries = [item | {"id": _name(item)} for item in named]
    return [entry for entry in entries if entry["id"]]


def file_name(path: str) -> str:
    """Return the last part of a path of any operating system."""
    return PurePosixPath(PureWindowsPath(path).as_posix()).name


def _name(item: dict[str, Any]) -> str:
    names = (item.get(key) for key in _NAME_KEYS)
    return next((name for name in names if isinstance(name, str) and name), "")


def _find_entry(entries: list[dict[str, Any]], model: str) -> dict[str, Any] | None:
    for entry in entries:
        aliases = entry.get("aliases")
        if entry["id"] == model or (isinstance(aliases, list) and model in aliases):
            return entry
    stems = [(file_name(entry["id"]).removesuffix(".gguf"), entry) for entry in entries]
    by_file_name = [entry for stem, entry in stems if stem == model]
    return by_file_name[0] if len(by_file_name) == 1 else None
