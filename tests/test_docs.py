"""Documentation: links, options, packages and tables that it names exist."""

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from steertui.cli import cli

ROOT = Path(__file__).resolve().parents[1]

OTHER_PROGRAMS = {
    "--host",
    "--served-model-name",
    "--reasoning-parser",
    "--nnodes",
    "--tp",
    "--dp",
}
"""Options of other programs that the text, not a command line, mentions."""

LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)")


def documents() -> list[Path]:
    """Return every tracked or new Markdown file."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words after each `steertui` in code, continued lines joined."""
    code = re.findall(r"```\w*\n(.*?)```|^((?: {4}.*\n)+)|`([^`\n]+)`", text, flags=re.M | re.S)
    for line in "\n".join("".join(found) for found in code).replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;|\||\(", line.partition(" #")[0]):
            words = part.split()
            if "$" in words[:1]:
                words = words[1:]
            if words and Path(words[0]).name == "steertui":
                yield words[1:]


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that the words name, and the options among them."""
    command: click.Command = cli
    for word in words:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
    return command, [word.partition("=")[0] for word in words if word.startswith("--")]


def options_of(command: click.Command) -> set[str]:
    names = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    return names | {"--help", "--version"}


def all_options(command: click.Command = cli) -> set[str]:
    names = options_of(command)
    if isinstance(command, click.Group):
        for child in command.commands.values():
            names |= all_options(child)
    return names


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """Return the data of the documentation's generated pages."""
    path = ROOT / "docs" / "_extensions" / "reference_data.py"
    spec = importlib.util.spec_from_file_location("reference_data", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as MyST and git hosts make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.M)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    for document in documents():
        for name, anchor in LINK.findall(document.read_text(encoding="utf-8")):
            target = (document.parent / name).resolve() if name else document
            assert target.exists(), (document, name)
            if anchor and target.suffix == ".md":
                assert anchor in anchors(target), (document, name, anchor)


def test_every_command_line_in_the_documentation_exists() -> None:
    seen = 0
    for document in documents():
        for words in command_lines(document.read_text(encoding="utf-8")):
            if words and re.fullmatch(r"[a-z][a-z-]+", words[0]):
                assert words[0] in cli.commands, (document, words)
            command, options = resolve(words)
            unknown = set(options) - options_of(command)
            assert not unknown, (document, words, unknown)
            seen += 1
    assert seen > 80


def test_every_option_that_the_text_names_exists() -> None:
    known = all_options() | OTHER_PROGRAMS
    for document in documents():
        if document.is_relative_to(ROOT / "benchmarks"):
            continue  # commands of the benchmarks' own programs
        for name in re.findall(r"`(--[\w-]+)[^`]*`", document.read_text(encoding="utf-8")):
            assert name in known, (document, name)


def test_every_command_named_exists() -> None:
    for document in documents():
        text = document.read_text(encoding="utf-8")
        for name in re.findall(r"`steertui ([a-z][a-z-]+)", text):
            assert name in cli.commands, (document, name)


def mapped_packages(name: str) -> set[str]:
    """Return the packages that a document's section "Packages" names."""
    text = (ROOT / name).read_text(encoding="utf-8")
    section = text.partition("## Packages")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, flags=re.M)
    return {package for row in rows for package in re.findall(r"`(\w+)`", row)}


def test_the_readmes_map_names_exactly_the_packages() -> None:
    named = mapped_packages("README.md")
    present = {path.parent.name for path in (ROOT / "steertui").glob("*/__init__.py")}
    assert named == present


def test_the_architecture_names_the_same_packages() -> None:
    assert mapped_packages("ARCHITECTURE.md") - {"steertui"} == mapped_packages("README.md")


def test_every_module_that_the_documentation_names_exists() -> None:
    packages = "|".join(mapped_packages("README.md"))
    pattern = re.compile(rf"`(?:steertui/)?((?:(?:{packages})/[\w/]*|(?<=/))\w+\.py)`")
    named = {
        (document, module)
        for document in documents()
        for module in pattern.findall(document.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    for document, module in named:
        assert (ROOT / "steertui" / module).exists(), (document, module)


def test_every_test_and_benchmark_that_the_documentation_names_exists() -> None:
    pattern = re.compile(r"\b((?:tests|benchmarks)/[\w/]+\.py)\b")
    for document in documents():
        for path in pattern.findall(document.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), (document, path)


def test_every_test_function_that_the_documentation_names_exists() -> None:
    pattern = re.compile(r"\b(tests/[\w/]+\.py)::(\w+)")
    named = {f for document in documents() for f in pattern.findall(document.read_text("utf-8"))}
    assert len(named) > 100
    for file, name in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, flags=re.M), (file, name)


def test_every_code_of_the_threat_model_is_described_and_used() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| ([TRG]\d+) \|", text, flags=re.M)
    matrix = text.partition("## Matrix")[2].partition("## Known gaps")[0]
    assert set(re.findall(r"\b[TRG]\d+\b", matrix)) == set(described)
    assert len(described) == len(set(described))


def test_every_decision_has_its_four_parts_and_a_place_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "index.md").read_text(encoding="utf-8")
    pages = sorted(folder.glob("[0-9]*.md"))
    assert [page.name[:3] for page in pages] == [f"{n:03}" for n in range(1, len(pages) + 1)]
    parts = ["Context", "Decision", "Rejected alternatives", "Evidence"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, flags=re.M) == parts, page
        assert f"({page.name})" in index, page


def test_every_table_and_experiment_key_is_described(reference: ModuleType, tmp_path: Path) -> None:
    described = reference.read_descriptions()
    names = [name for _, name, _ in reference.read_schema(tmp_path / "new.db")]
    assert {"trials", "answers"} <= set(names) <= described.keys()
    keys = reference.key_texts()
    assert {"models", "analysis", "analysis.primary", "analysis.margin"} <= keys.keys()
    assert all(keys.values())


def test_the_help_of_an_option_states_its_default_once() -> None:
    with click.Context(cli) as context:
        texts = [parameter.get_help_record(context) or ("", "") for parameter in cli.params]
    assert [name for name, text in texts if text.count("[default: ") > 1] == []
