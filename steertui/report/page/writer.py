"""Writes the page: one file, or a file and a folder of texts beside it where they are many."""

import json
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from steertui.analysis.summary import Summary
from steertui.errors import OutputError
from steertui.output_files import check_output, is_partial, output, output_folder, whole
from steertui.paper.comparison import compare_with_paper
from steertui.report.canvas import STYLE
from steertui.report.packed_texts import Pack, packs
from steertui.report.page.content import content
from steertui.report.palette import DARK, LIGHT, variables
from steertui.store import Store

HERE = Path(__file__).resolve().parent

INLINE = 24_000_000
"""Characters of packed texts that a page still holds itself."""

CALL = "steertuiPack("
"""How every file of texts beside a page starts."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Packed texts on their way into a page, in a folder of their own."""

    folder: Path
    places: dict[str, int]
    count: int
    size: int


def write_page(store: Store, summary: Summary, path: Path) -> list[Path]:
    """Write the page to `path`, and its texts beside it where they are many; return what was
    written.

    The folder keeps the texts of an earlier page until the new page is in its place. Raises
    OutputError where a file has to stay or cannot be written.
    """
    check_output(path, "html", [store.path])
    paper = compare_with_paper(store, summary)
    with tempfile.TemporaryDirectory() as folder:
        texts = _pack(packs(store, summary, paper), Path(folder))
        beside = _lay_beside(texts, path) if texts.size > INLINE else []
        script = (HERE / "page.js").read_text(encoding="utf-8")
        page = (
            _environment()
            .get_template("sheet.html")
            .stream(
                content(store, summary, paper),
                version=version("steertui"),
                style=_style(),
                script=script,
                policy=_policy(script, is_beside=bool(beside)),
                places=texts.places,
                beside=[f"./{quote(file.parent.name)}/{file.name}" for file in beside],
                packs=() if beside else _data(texts),
            )
        )
        page.enable_buffering(64)
        with output(path, "html", [store.path]) as file:
            page.dump(file, encoding="utf-8", errors="replace")
    if not beside:
        return [path]
    _remove_others(beside)
    return [path, beside[0].parent]


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def _style() -> str:
    light, dark = variables(LIGHT), variables(DARK)
    colours = (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ color-scheme: dark; "
        f"{dark} }} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {dark} }}\n"
        f"@media print {{ :root, :root[data-theme=dark] {{ color-scheme: light; {light} }} }}\n"
    )
    return colours + STYLE + (HERE / "page.css").read_text(encoding="utf-8")


def _policy(script: str, *, is_beside: bool) -> str:
    """Let our own script run, and what it loads from the folder beside the page; no other."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'" + (" file: 'self'" if is_beside else "")


def _pack(packed: Iterable[Pack], folder: Path) -> Texts:
    places: dict[str, int] = {}
    size = count = 0
    for count, pack in enumerate(packed, 1):
        (folder / f"{count - 1}.txt").write_text(pack.data, encoding="ascii")
        places |= dict.fromkeys(pack.scenarios, count - 1)
        size += len(pack.data)
    return Texts(folder, places, count, size)


def _data(texts: Texts) -> Iterator[str]:
    for number in range(texts.count):
        yield (texts.folder / f"{number}.txt").read_text(encoding="ascii")


def _lay_beside(texts: Texts, path: Path) -> list[Path]:
    """Add the texts to the folder beside the page, each in a file named by its digest."""
    folder = path.with_name(f"{path.name.removesuffix('.html')}-texts")
    _check_folder(folder)
    output_folder(folder)
    files = []
    for number, data in enumerate(_data(texts)):
        call = f"{CALL}{number}, {json.dumps(data)});\n".encode()
        file = folder / _text_name(call)
        files.append(file)
        try:
            if not file.exists():
                with whole(file) as target:
                    target.write(call)
        except OSError as exc:
            raise OutputError(f"{file}: cannot be written ({exc.strerror})") from exc
    return files


def _check_folder(folder: Path) -> None:
    """Raise OutputError where the folder holds anything that is no text of an earlier page."""
    advice = "remove it, or give another --output"
    if folder.is_symlink():
        raise OutputError(
            f"{folder}: is a symbolic link, and a page's texts belong there; {advice}"
        )
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (is_partial(file) or _is_text(file)):
            raise OutputError(
                f"{folder}: holds {file.name}, which is no text of a page of steertui's; {advice}"
            )


def _is_text(file: Path) -> bool:
    """Whether a file holds texts of a page, unchanged: its name is the digest of its bytes."""
    if file.is_symlink() or not file.is_file() or file.suffix != ".js":
        return False
    content = file.read_bytes()
    return content.startswith(CALL.encode()) and file.name == _text_name(content)


def _text_name(content: bytes) -> str:
    return f"{sha256(content).hexdigest()[:32]}.js"


def _remove_others(files: Sequence[Path]) -> None:
    """Remove the texts of an earlier page from the folder of these."""
    for file in files[0].parent.iterdir():
        if file not in files and _is_text(file):
            file.unlink()
