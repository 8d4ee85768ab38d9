"""Writes the page: one file, or a file and a folder of texts beside it where they are many."""

import json
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from steertui.analysis.summary import Summary
from steertui.paper.comparison import compare_with_paper
from steertui.report.canvas import STYLE
from steertui.report.packed_texts import Pack, packs
from steertui.report.page.content import content
from steertui.report.palette import DARK, LIGHT, variables
from steertui.store import Store

HERE = Path(__file__).resolve().parent

INLINE = 24_000_000
"""Characters of packed texts that a page still holds itself."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Packed texts on their way into a page, in a folder of their own."""

    folder: Path
    places: dict[str, int]
    count: int
    size: int


def write_page(store: Store, summary: Summary, path: Path) -> list[Path]:
    """Write the page to `path`, and its texts beside it where they are many; return what was
    written."""
    paper = compare_with_paper(store, summary)
    with tempfile.TemporaryDirectory() as folder:
        texts = _pack(packs(store, summary, paper), Path(folder))
        beside = _lay_beside(texts, path) if texts.size > INLINE else None
        script = (HERE / "page.js").read_text(encoding="utf-8")
        page = (
            _environment()
            .get_template("sheet.html")
            .stream(
                content(store, summary, paper),
                version=version("steertui"),
                style=_style(),
                script=script,
                policy=_policy(script, beside),
                places=texts.places,
                beside=beside.name if beside else None,
                packs=_data(texts) if beside is None else (),
            )
        )
        page.enable_buffering(64)
        with path.open("wb") as file:
            page.dump(file, encoding="utf-8", errors="replace")
    return [path, beside] if beside else [path]


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


def _policy(script: str, beside: Path | None) -> str:
    """Let our own script run, and what it loads from the folder beside the page; no other."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'" + (" file: 'self'" if beside else "")


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


def _lay_beside(texts: Texts, path: Path) -> Path:
    beside = path.with_name(f"{path.stem}-texts")
    if beside.is_dir():
        shutil.rmtree(beside)
    beside.mkdir()
    for number, data in enumerate(_data(texts)):
        call = f"steertuiPack({number}, {json.dumps(data)});\n"
        (beside / f"{number}.js").write_text(call, encoding="ascii")
    return beside
