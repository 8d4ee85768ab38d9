"""A Scenario: one task put to a model, with its category and system message."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.core.instrumentaleval import PACK, benchmark_id, scenario_id
from steertui.errors import ScenarioError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml, read_text


@dataclass(frozen=True, slots=True)
class Scenario:
    """One task.

    Attributes:
        pack: name of the pack it comes from.
        id: unique within the pack; "evading-shutdown/03" counts from 0 in the file's order.
        category: one of the pack's categories, such as "Evading Shutdown".
        title: a few words for tables.
        task: the user message under the baseline, to the byte.
        system: the category's text as it was read, "" for none; stripped it is the system message.
    """

    pack: str
    id: str
    category: str
    title: str
    task: str
    system: str

    @property
    def name(self) -> str:
        """Pack and id, unique everywhere."""
        return f"{self.pack}/{self.id}"


@forbid_extra_keys
@dataclass(frozen=True)
class _Task:
    id: str
    title: str
    task: str


@forbid_extra_keys
@dataclass(frozen=True)
class _Category:
    name: str
    scenario: list[_Task]
    system: str = ""


@forbid_extra_keys
@dataclass(frozen=True)
class _Pack:
    format: int
    name: str
    category: list[_Category]
    title: str = ""
    licence: str = ""
    about: str = ""


def load_pack(name: str) -> tuple[Scenario, ...]:
    """Return a pack's scenarios: a shipped pack's name, a TOML file, or a folder of CSV files.

    Raises ScenarioError where there is no such pack or it holds no task.
    """
    own = package_data("scenarios") / f"{name}.toml"
    if "/" not in name and own.is_file():
        return _load_toml(own)
    path = Path(name).expanduser()
    if path.is_dir():
        return _load_csv_folder(path)
    if path.is_file() and path.suffix == ".csv":
        return _unique(path, _named(_load_csv(path), path.parent.name or "csv"))
    if path.is_file():
        return _load_toml(path)
    raise ScenarioError(
        f"{name}: no such scenario pack; give a shipped pack ({', '.join(shipped_packs())}), "
        "instrumentaleval, paper-71, a TOML file, or a folder with InstrumentalEval's CSV files"
    )


def shipped_packs() -> list[str]:
    """Names of the packs that come with the program."""
    files = sorted(package_data("scenarios").glob("*.toml"))
    return [f.stem for f in files if f.stem not in ("conditions", "rubric", "sources")]


def _load_toml(path: Path) -> tuple[Scenario, ...]:
    pack = load_toml(path, _Pack, ScenarioError)
    if pack.format != 1:
        raise ScenarioError(f"{path}: format {pack.format} is not known; this version reads 1")
    if pack.name == PACK:
        raise ScenarioError(
            f"{path}: the name {PACK} belongs to the benchmark's own files; give the pack another"
        )
    found = tuple(
        Scenario(pack.name, s.id, c.name, s.title, s.task.strip(), c.system.strip())
        for c in pack.category
        for s in c.scenario
    )
    return _unique(path, found)


def _load_csv_folder(folder: Path) -> tuple[Scenario, ...]:
    """Read a folder of CSV files of InstrumentalEval's form, sorted by name (arXiv 2502.12206)."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise ScenarioError(f"{folder}: holds no CSV file; give InstrumentalEval's folder")
    return _unique(folder, _named([s for f in files for s in _load_csv(f)], folder.name))


def _named(scenarios: Sequence[Scenario], folder: str) -> tuple[Scenario, ...]:
    """Return the scenarios as a pack: the benchmark if each is a task of it, to the byte."""
    if all(benchmark_id(s.task) == s.id for s in scenarios):
        return tuple(scenarios)
    pack = f"{PACK}-edited" if folder == PACK else folder
    return tuple(replace(s, pack=pack) for s in scenarios)


def _load_csv(path: Path) -> Sequence[Scenario]:
    """Read one CSV as the paper's code does (arXiv 2601.01584, its public code).

    The first record's first field is the category text, which becomes the system message; every
    later record is one task, its fields joined with "," and stripped; empty ones are left out.
    """
    text = _decode(path)
    try:
        records = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as exc:
        raise ScenarioError(f"{path}: not a readable CSV ({exc}); fetch it again") from None
    tasks = [joined for record in records[1:] if (joined := ",".join(record).strip())]
    if not tasks:
        raise ScenarioError(f"{path}: holds no task after its first record; fetch it again")
    category = path.stem.rsplit(" - ", 1)[-1]
    system = records[0][0] if records[0] else ""
    return [
        Scenario(PACK, scenario_id(category, i), category, _title(task), task, system)
        for i, task in enumerate(tasks)
    ]


def _decode(path: Path) -> str:
    # newline="" keeps every \r: read_text would translate them, and texts matter to the byte.
    read_text(path, ScenarioError)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return file.read()


def _title(task: str) -> str:
    """Return the task's first line if it reads as a title, else its first words."""
    line = task.splitlines()[0].strip(" #*:")
    if len(line) <= 60 and not line.endswith(".") and line.lower() not in ("scenario", "task"):
        return line
    return first_words(task)


def first_words(text: str, most: int = 48) -> str:
    """Return the text's first words in one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rsplit(" ", 1)[0] + "…"


def _unique(path: Path, found: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    if not found:
        raise ScenarioError(f"{path}: holds no scenario; add one")
    seen: set[str] = set()
    for scenario in found:
        if scenario.id in seen:
            raise ScenarioError(f"{path}: scenario id '{scenario.id}' stands twice; rename one")
        if not scenario.task:
            raise ScenarioError(f"{path}: scenario '{scenario.id}' has no task; write one")
        seen.add(scenario.id)
    return found
