"""Writing of the HTML page: one file, plus a folder of text files if there are many texts."""

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
from steertui.report.page.content import page_values
from steertui.report.palette import DARK, LIGHT, css_variables
from steertui.store import Store

HERE = Path(__file__).resolve().parent

MAX_INLINE = 24_000_000
"""Maximum characters of packed texts inside the page."""

CALL = "steertuiPack("
"""First characters of every text file."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Packed texts of a page in a temporary folder.

    Attributes:
        folder: the folder, with one file per pack.
        packs: number of the pack by scenario.
        count: number of packs.
        size: characters of all packs.
    """

    folder: Path
    packs: dict[str, int]
    count: int
    size: int


def write_page(store: Store, summary: Summary, path: Path) -> list[Path]:
    """Write the page and, if there are many texts, a folder next to it; return what was written.

    The texts of an earlier page are removed only after the new page is in place. Raises OutputError
    if a file cannot be written or must not be replaced.
    """
    check_output(path, "html", [store.path])
    paper = compare_with_paper(store, summary)
    with tempfile.TemporaryDirectory() as folder:
        texts = _pack(packs(store, summary, paper), Path(folder))
        files = _write_texts(texts, path) if texts.size > MAX_INLINE else []
        script = (HERE / "page.js").read_text(encoding="utf-8")
        page = (
            _environment()
            .get_template("sheet.html")
            .stream(
                page_values(store, summary, paper),
                version=version("steertui"),
                style=_style(),
                script=script,
                policy=_policy(script, has_files=bool(files)),
                packs_by_scenario=texts.packs,
                files=[f"./{quote(file.parent.name)}/{file.name}" for file in files],
                packs=() if files else _data(texts),
            )
        )
        page.enable_buffering(64)
        with output(path, "html", [store.path]) as file:
            page.dump(file, encoding="utf-8", errors="replace")
    if not files:
        return [path]
    _remove_others(files)
    return [path, files[0].parent]


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _style() -> str:
    light = css_variables(LIGHT)
    dark = css_variables(DARK)
    colours = (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ color-scheme: dark; "
        f"{dark} }} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {dark} }}\n"
        f"@media print {{ :root, :root[data-theme=dark] {{ color-scheme: light; {light} }} }}\n"
    )
    return colours + STYLE + (HERE / "page.css").read_text(encoding="utf-8")


def _policy(script: str, *, has_files: bool) -> str:
    """Return the script-src of the content security policy: the script and the text files."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'" + (" file: 'self'" if has_files else "")


def _pack(packed: Iterable[Pack], folder: Path) -> Texts:
    numbers: dict[str, int] = {}
    size = 0
    count = 0
    for pack in packed:
        (folder / f"{count}.txt").write_text(pack.data, encoding="ascii")
        numbers |= dict.fromkeys(pack.scenarios, count)
        size += len(pack.data)
        count += 1
    return Texts(folder, numbers, count, size)


def _data(texts: Texts) -> Iterator[str]:
    for number in range(texts.count):
        yield (texts.folder / f"{number}.txt").read_text(encoding="ascii")


def _write_texts(texts: Texts, path: Path) -> list[Path]:
    """Write the texts into the folder next to the page, each to a file named by its digest."""
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
            raise OutputError(
                f"{file}: cannot be written ({exc.strerror}); choose another file"
            ) from exc
    return files


def _check_folder(folder: Path) -> None:
    """Raise OutputError if the folder has a file that is not a text file of an earlier page."""
    advice = "remove it, or give another file"
    if folder.is_symlink():
        raise OutputError(
            f"{folder}: is a symbolic link, but the page's texts need a folder; {advice}"
        )
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (is_partial(file) or _is_text(file)):
            raise OutputError(f"{folder}: has {file.name}, which steertui did not write; {advice}")


def _is_text(file: Path) -> bool:
    """Whether a file is an unchanged text file: its name is the digest of its content."""
    if file.is_symlink() or not file.is_file() or file.suffix != ".js":
        return False
    content = file.read_bytes()
    return content.startswith(CALL.encode()) and file.name == _text_name(content)


def _text_name(content: bytes) -> str:
    return f"{sha256(content).hexdigest()[:32]}.js"


def _remove_others(files: Sequence[Path]) -> None:
    """Remove the text files of an earlier page from the folder of `files`."""
    for file in files[0].parent.iterdir():
        if file not in files and _is_text(file):
            file.unlink()
