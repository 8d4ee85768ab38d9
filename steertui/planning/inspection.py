"""Description of a received file: what it holds and what it would do, without running any of it."""

from collections.abc import Iterator
from pathlib import Path

from steertui.core.condition_files import load_conditions, load_recipes
from steertui.core.experiment import Experiment, parse_experiment
from steertui.core.scenario import is_table_or_records, load_pack
from steertui.errors import ExperimentError, SteertuiError
from steertui.judge.rubric import load_rubric
from steertui.output_files import MAGIC
from steertui.paths import is_file
from steertui.planning.consent import reach_lines
from steertui.planning.experiment_files import load_experiment, text_files
from steertui.planning.gguf_inspection import gguf_lines
from steertui.planning.origin import origin_of
from steertui.planning.reach import reach_of
from steertui.planning.resolve import count_trials, resolve_texts
from steertui.store import Store
from steertui.store.received import open_copy
from steertui.store.records import StoredExperiment
from steertui.toml_files import MAX_BYTES, encoding_of, parse_toml, read_text
from steertui.units import quantity, size_text

OTHER_FILE = "give a database, a GGUF file or a scenario pack"

_SUFFIXES = {".gguf": "a GGUF file", ".db": "a SQLite database"}
"""Kinds of files by the ending of their name."""


def inspect_file(path: Path) -> Iterator[str]:
    """Yield lines on a database, a GGUF file, a scenario pack, or a TOML file of any kind.

    No model answers, no server is contacted and nothing is downloaded or changed. Raises the error
    with which a command that uses the file would end.
    """
    if not is_file(path):
        raise ExperimentError(
            f"{path}: is not a file; give a database, a TOML or GGUF file, or a scenario pack"
        )
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise ExperimentError(f"{path}: is empty; give a file with content")
    kind = next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")
    if kind == "a SQLite database":
        yield from _database(path)
    elif kind:
        yield from gguf_lines(path)
    elif path.suffix in _SUFFIXES:
        raise ExperimentError(f"{path}: is not {_SUFFIXES[path.suffix]}; {OTHER_FILE}")
    elif is_table_or_records(path):
        yield from _pack(path)
    else:
        yield from _toml(path)


def _toml(path: Path) -> Iterator[str]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ExperimentError(
            f"{path}: has {size_text(size)}, and a TOML file at most {size_text(MAX_BYTES)}; give "
            "another file"
        )
    text = read_text(path, ExperimentError)
    remedy = f"correct it, or {OTHER_FILE}"
    keys = parse_toml(text, ExperimentError, str(path), remedy).keys()
    if "condition" in keys:
        yield from _conditions(path)
    elif "category" in keys:
        yield from _pack(path)
    elif {"system", "user"} & keys:
        yield from _rubric(path)
    else:
        yield f"{path}: experiment file"
        yield from _experiment(load_experiment(path))


def _conditions(path: Path) -> Iterator[str]:
    conditions = load_conditions(path)
    yield f"{path}: conditions file, {quantity(len(conditions), 'condition')}"
    for name, condition in conditions.items():
        parts = (f"{title.lower()} of {len(text)} characters" for title, text in condition.parts)
        access = f"; changes {', '.join(condition.access)}" if condition.access else ""
        yield f"  {name}: {', '.join(parts) or 'nothing added'}{access}"
    for recipe in load_recipes(path):
        yield (
            f"  a run trains the vector {recipe.name} ({recipe.positive} − {recipe.negative}) "
            "where it is missing"
        )


def _pack(path: Path) -> Iterator[str]:
    scenarios = load_pack(str(path))
    categories = dict.fromkeys(scenario.category for scenario in scenarios)
    yield f"{path}: scenario pack {scenarios[0].pack}, {quantity(len(scenarios), 'scenario')}"
    with path.open("rb") as file:
        if encoding_of(file.read(2)) == "utf-16":
            yield "  encoding: UTF-16"
    for name in categories:
        yield f"  {name}: {quantity(sum(s.category == name for s in scenarios), 'scenario')}"


def _rubric(path: Path) -> Iterator[str]:
    rubric = load_rubric(str(path))
    yield f"{path}: rubric {rubric.name}"
    yield f"  instruction of {len(rubric.system)} characters, sha256 {rubric.sha256}"


def _experiment(experiment: Experiment) -> Iterator[str]:
    """Yield the names, the number of trials, and what a run would contact, fetch and read."""
    yield f"  models: {', '.join(experiment.models)}"
    yield f"  scenarios: {', '.join(experiment.scenarios)}"
    yield f"  conditions: {', '.join(experiment.conditions)}"
    yield f"  judges: {', '.join(experiment.judges) or 'the default'}"
    yield f"  trials: {_trials(experiment)}"
    yield from _effects(experiment)


def _trials(experiment: Experiment) -> str:
    try:
        scenarios, conditions = resolve_texts(experiment)
    except SteertuiError as exc:
        return f"unknown ({exc})"
    return f"{count_trials(experiment, len(scenarios), len(conditions)):,}"


def _effects(experiment: Experiment) -> Iterator[str]:
    try:
        reach = reach_of(experiment)
    except SteertuiError as exc:
        yield f"  cannot run: {exc}"
        return
    if reach.is_empty:
        yield "  a run contacts no server, and fetches and reads no file of others"
    yield from (f"  a run {line}" for line in reach_lines(reach))


def _database(path: Path) -> Iterator[str]:
    with open_copy(path) as store:
        experiments = store.experiments()
        yield (
            f"{path}: database of steertui with {quantity(len(experiments), 'experiment')}; "
            "schema, values and hashes are intact"
        )
        for experiment in experiments:
            yield from _stored_experiment(store, experiment, path)


def _stored_experiment(store: Store, stored: StoredExperiment, path: Path) -> Iterator[str]:
    answers = len(store.answered_keys(stored.id))
    yield f"experiment {stored.id}, planned {stored.planned_at}"
    yield f"  trials: {stored.trials:,}, answers: {answers:,}"
    for judge in store.judges(stored.id):
        yield f"  judge {judge.name}: {quantity(store.count_judged(stored.id, judge.id), 'label')}"
    for table, count in store.conflict_counts([stored.id]).items():
        yield f"  conflicts of merged databases in {table}: {count:,}"
    try:
        experiment = parse_experiment(stored.toml)
    except SteertuiError as exc:
        yield f"  its experiment file is unusable: {exc}"
        return
    received = origin_of(experiment, str(path), is_database=True).part(experiment)
    for field, name in text_files(received):
        yield f"  names the file {name} ({field}), which is not read because a database names it"
    if not text_files(received):
        yield from _effects(experiment)
