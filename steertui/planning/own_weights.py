"""GGUF models of the user: those of the working folder, its folder `models`, and of a plan."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from steertui.core.hub_files import quantisation
from steertui.core.hub_name import split_parts
from steertui.core.model import is_server
from steertui.engine.gguf_files import GgufFiles
from steertui.engine.gguf_header import GgufHeader
from steertui.errors import ModelError
from steertui.paths import expand_home, is_file
from steertui.planning.gguf_inspection import is_adapter
from steertui.planning.inventory import InventoryRow
from steertui.steering.vector_file import ARCHITECTURE

FOLDERS = (Path(), Path("models"))
"""Folders whose GGUF files are listed, relative to the working folder."""

FILE_TYPE = "general.file_type"
"""Key of the quantisation of most tensors, a number of llama.cpp."""

TEMPLATE = "tokenizer.chat_template"
"""Key of a GGUF's default chat template."""


def own_rows(names: Sequence[str]) -> list[InventoryRow]:
    """Return the rows of the user's GGUF models; `names` are the models of the plan.

    Adapters and vectors are left out. Headers are read in a limited child process.
    """
    files = list(_files(names))
    if not files:
        return []
    with GgufFiles() as reader:
        return [row for path in files if (row := _row(path, reader))]


def _files(names: Sequence[str]) -> Iterator[Path]:
    """Yield the first file of each model once."""
    in_folders = (path for folder in FOLDERS for path in sorted(folder.glob("*.gguf")))
    named = (expand_home(name) for name in names if name.endswith(".gguf") and not is_server(name))
    seen: set[Path] = set()
    for path in (*in_folders, *named):
        is_first = path.name == split_parts(path.name)[0]
        if is_first and is_file(path) and path.resolve() not in seen:
            seen.add(path.resolve())
            yield path


def _row(path: Path, reader: GgufFiles) -> InventoryRow | None:
    try:
        header = reader.header(path)
    except ModelError as exc:
        return _described(path, about=str(exc))
    if is_adapter(header) or header.architecture == ARCHITECTURE:
        return None
    about = f"quantisation {_quantisation(path, header)}"
    return _described(path, about=about, template=_template(header))


def _quantisation(path: Path, header: GgufHeader) -> str:
    """Return the quantisation in the header, and the one in the name where it is another."""
    from gguf import LlamaFileType

    named = quantisation(path.name)
    try:
        kind = LlamaFileType(header.metadata.get(FILE_TYPE, LlamaFileType.GUESSED))
    except ValueError:
        kind = LlamaFileType.GUESSED
    if kind is LlamaFileType.GUESSED:
        return f"{named} (by its name)" if named else "unknown"
    stored = kind.name.removeprefix("ALL_").removeprefix("MOSTLY_")
    return f"{stored} (by its name {named})" if named not in ("", stored) else stored


def _described(path: Path, *, about: str, template: str = "") -> InventoryRow:
    parts = (path.with_name(name) for name in split_parts(path.name))
    return InventoryRow(
        name=str(path),
        kind="own file",
        licence="",
        size=sum(part.stat().st_size for part in parts if is_file(part)),
        cached="yes",
        path=str(path.absolute()),
        fits="",
        origin="",
        sampling={},
        doubt="",
        about=about,
        template=template,
    )


def _template(header: GgufHeader) -> str:
    """Return the length of the default chat template, or what follows without one."""
    text = header.metadata.get(TEMPLATE)
    if isinstance(text, str) and text:
        return f"its own, {len(text):,} characters"
    return "none; it answers with one that Plan names, and cannot judge"
