"""Scenarios: tasks with category and system message, loaded from packs."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from steertui.core.instrumentaleval import PACK, benchmark_id, scenario_id
from steertui.core.pack_tables import FORMS, PackRow, read_json, read_records, read_table
from steertui.errors import ScenarioError
from steertui.paths import expand_home, is_file, is_folder, package_data
from steertui.toml_files import forbid_extra_keys, load_toml, read_text, require_own, table_files


@dataclass(frozen=True, slots=True)
class Scenario:
    """One task.

    Attributes:
        pack: name of its pack.
        id: unique within the pack, such as "evading-shutdown/03"; numbers count from 0 in the
            file's order.
        category: category in the pack, such as "Evading Shutdown".
        title: short title for tables.
        task: the user message of the baseline, to the byte.
        system: text of the category as in the file, "" for none; stripped, it is the system
            message.
    """

    pack: str
    id: str
    category: str
    title: str
    task: str
    system: str

    @property
    def name(self) -> str:
        """Pack and id; unique across packs."""
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


TABLES = (".csv", ".tsv")
RECORDS = (".json", ".jsonl", ".ndjson")
OTHERS = (".xlsx", ".xls", ".ods", ".numbers", ".parquet", ".arrow", ".zip", ".yaml", ".yml")
"""Endings of files, in lower case."""


@dataclass(frozen=True, slots=True)
class _Table:
    """Scenarios of a CSV file; without a header it is in InstrumentalEval's form."""

    scenarios: Sequence[Scenario]
    has_header: bool


def load_pack(name: str) -> tuple[Scenario, ...]:
    """Return the scenarios of a pack: a shipped pack's name, a file, or a folder of CSV files.

    Raises ScenarioError if there is no such pack or it has no task.
    """
    shipped = package_data("scenarios") / f"{name}.toml"
    if "/" not in name and is_file(shipped):
        return _load_toml(shipped)
    path = expand_home(name)
    if is_folder(path):
        return _load_folder(path)
    if not is_file(path):
        raise ScenarioError(
            f"{name}: no such scenario pack; give a shipped pack ({', '.join(shipped_packs())}), "
            "instrumentaleval, paper-71, a TOML, CSV or JSON file, or a folder of CSV files"
        )
    if path.suffix.lower() in TABLES:
        found = _load_table(path)
        name_of_table = path.stem if found.has_header else path.parent.name or "csv"
        return _checked(path, _named(found.scenarios, name_of_table))
    if path.suffix.lower() in RECORDS:
        return _checked(path, _named(_from_rows(path, read_json(path)), path.stem))
    if path.suffix.lower() in OTHERS:
        raise ScenarioError(f"{path}: cannot be read as a scenario pack; {FORMS}")
    return _load_toml(path)


def is_table_or_records(path: Path) -> bool:
    """Whether a file is a pack by its ending; a TOML file may be of several kinds."""
    return path.suffix.lower() in (*TABLES, *RECORDS)


def shipped_packs() -> list[str]:
    """Return the names of the shipped packs."""
    files = sorted(package_data("scenarios").glob("*.toml"))
    return [f.stem for f in files if f.stem not in ("conditions", "rubric", "sources")]


def _load_toml(path: Path) -> tuple[Scenario, ...]:
    pack = load_toml(path, _Pack, ScenarioError)
    if pack.format != 1:
        raise ScenarioError(f"{path}: format {pack.format} is not known; this version reads 1")
    if pack.name == PACK:
        raise ScenarioError(
            f"{path}: the name {PACK} is reserved for the benchmark's files; rename the pack"
        )
    scenarios = tuple(
        Scenario(
            pack=pack.name,
            id=task.id,
            category=category.name,
            title=task.title,
            task=task.task.strip(),
            system=category.system.strip(),
        )
        for category in pack.category
        for task in category.scenario
    )
    return _checked(path, scenarios)


def _load_folder(folder: Path) -> tuple[Scenario, ...]:
    """Return the scenarios of a folder's CSV files, by file name."""
    files = table_files(folder)
    if not files:
        raise ScenarioError(f"{folder}: no CSV file; {FORMS}")
    require_own(folder, files, ScenarioError)
    scenarios = [s for file in files for s in _load_table(file).scenarios]
    return _checked(folder, _named(scenarios, folder.name))


def _named(scenarios: Sequence[Scenario], name: str) -> tuple[Scenario, ...]:
    """Return the scenarios with their pack's name.

    It is the benchmark's if every task is the benchmark's, to the byte; otherwise `name`.
    """
    if all(benchmark_id(s.task) == s.id for s in scenarios):
        return tuple(scenarios)
    pack = f"{PACK}-edited" if name == PACK else name
    return tuple(replace(s, pack=pack) for s in scenarios)


def _load_table(path: Path) -> _Table:
    """Return the scenarios of a CSV or TSV file with a header, or in InstrumentalEval's form."""
    text = read_text(path, ScenarioError, newline="")  # keeps every \r
    if "\0" in text:
        raise ScenarioError(f"{path}: holds the character NUL; save it as text in UTF-8")
    rows = read_table(path, text)
    if rows is None:
        return _Table(_from_benchmark(path, text), has_header=False)
    return _Table(_from_rows(path, rows), has_header=True)


def _from_rows(path: Path, rows: Sequence[PackRow]) -> list[Scenario]:
    """Return the scenarios of a table or of records.

    The category is the file's name unless it is given, and ids are made as for InstrumentalEval.
    """
    counts: Counter[str] = Counter()
    scenarios = []
    has_ids = any("id" in row.fields for row in rows)
    has_categories = any("category" in row.fields for row in rows)
    for row in rows:
        needed = ("task", *["id"][: int(has_ids)], *["category"][: int(has_categories)])
        missing = [name for name in needed if name not in row.fields]
        if missing:
            raise ScenarioError(f"{row.where}: no {missing[0]}; add it")
        fields = row.fields
        category = fields.get("category", path.stem)
        scenarios.append(
            Scenario(
                pack=PACK,
                id=fields.get("id", scenario_id(category, counts[category])),
                category=category,
                title=fields.get("title") or _title(fields["task"]),
                task=fields["task"],
                system=fields.get("system", ""),
            )
        )
        counts[category] += 1
    return scenarios


def _from_benchmark(path: Path, text: str) -> list[Scenario]:
    """Return the scenarios of a CSV, parsed as by the paper's code (arXiv 2601.01584).

    The first field of the first record is the category's text, which becomes the system message.
    Every later record is one task: its fields joined with "," and stripped. Empty tasks are
    skipped. The format is that of InstrumentalEval (arXiv 2502.12206).
    """
    records = [record for _, record in read_records(path, text, ",")]
    tasks = [joined for record in records[1:] if (joined := ",".join(record).strip())]
    if not tasks:
        raise ScenarioError(f"{path}: no task after the first record; {FORMS}")
    category = path.stem.rsplit(" - ", 1)[-1]
    system = records[0][0] if records[0] else ""
    return [
        Scenario(
            pack=PACK,
            id=scenario_id(category, i),
            category=category,
            title=_title(task),
            task=task,
            system=system,
        )
        for i, task in enumerate(tasks)
    ]


_LEAD = re.compile(r"[\s#*]*(scenario|task)[ *]*[:*\n][\s#*:]*", re.IGNORECASE)
"""Heading at the start of a task that does not name it, and Markdown."""


MAX_TITLE = 160
"""Maximum characters of a title that is made of a task's words."""


def _title(task: str) -> str:
    """Return the task's first line if it looks like a title, otherwise its first words."""
    text = task[lead.end() :] if (lead := _LEAD.match(task)) else task
    line = text.splitlines()[0].strip(" #*:") if text else ""
    return (
        line if line and len(line) <= 60 and not line.endswith(".") else first_words(text or task)
    )


def full_title(title: str, task: str) -> str:
    """Return a title, or the words of the task that it is the beginning of, without Markdown."""
    if not title.endswith("…"):
        return title
    text = task[lead.end() :] if (lead := _LEAD.match(task)) else task
    return first_words(text.replace("**", ""), MAX_TITLE)


def first_words(text: str, most: int = 48) -> str:
    """Return the text's first words in one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rsplit(" ", 1)[0] + "…"


def _checked(path: Path, scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """Return the scenarios; raises ScenarioError for none, a duplicate id or an empty task."""
    if not scenarios:
        raise ScenarioError(f"{path}: no scenario; add one")
    ids: set[str] = set()
    for scenario in scenarios:
        if scenario.id in ids:
            raise ScenarioError(f"{path}: duplicate scenario id '{scenario.id}'; rename one")
        if not scenario.task:
            raise ScenarioError(f"{path}: scenario '{scenario.id}' has no task; add one")
        ids.add(scenario.id)
    return scenarios
