"""LoRA adapters on this machine: of the working folder, and of the conditions in use."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from steertui.engine.gguf_files import GgufFiles
from steertui.errors import ModelError, OutputError
from steertui.paths import is_file
from steertui.planning.gguf_inspection import gguf_lines, is_adapter
from steertui.steering.ablation import layer_of
from steertui.steering.vector import Provenance
from steertui.steering.vector_file import provenance_of


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """A GGUF file with a LoRA adapter.

    Attributes:
        path: of the file.
        origin: provenance of the vector whose direction it removes; unknown for other adapters.
        layer: of that direction; 0 for other adapters.
        lines: description, as of `steertui inspect`.
    """

    path: Path
    origin: Provenance
    layer: int
    lines: tuple[str, ...]


def find_adapters(named: Iterable[str] = ()) -> list[AdapterFile]:
    """Return the adapters of the working folder and the `named` files, sorted by path.

    GGUF files of other kinds, and those that cannot be read, are left out.
    """
    paths = {*Path().glob("*.gguf"), *(path for path in map(Path, named) if is_file(path))}
    unique = {path.resolve(): path for path in sorted(paths, reverse=True)}
    found = []
    with GgufFiles() as files:
        for path in sorted(unique.values()):
            with suppress(ModelError):
                header = files.header(path)
                if is_adapter(header):
                    origin = provenance_of(header, path)
                    lines = tuple(gguf_lines(path))
                    found.append(AdapterFile(path, origin, layer_of(header), lines))
    return found


def remove_adapter(adapter: AdapterFile) -> None:
    """Delete an adapter's file; raises OutputError if that fails."""
    try:
        adapter.path.unlink()
    except OSError as exc:
        raise OutputError(f"{adapter.path}: cannot be deleted ({exc.strerror})") from None
