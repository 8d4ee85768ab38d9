"""Conditions files: TOML with conditions, dose axes, contests and trainings of vectors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steertui.core.condition import Condition
from steertui.core.contest import ContestTable, contest_conditions
from steertui.core.dose_axis import DoseTable, dose_conditions
from steertui.core.interventions import VectorRecipe
from steertui.errors import ScenarioError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml


@forbid_extra_keys
@dataclass(frozen=True)
class _File:
    format: int
    condition: list[Condition]
    name: str = ""
    about: str = ""
    training: tuple[VectorRecipe, ...] = ()
    dose: tuple[DoseTable, ...] = ()
    contest: tuple[ContestTable, ...] = ()


def shipped_conditions() -> list[str]:
    """Return the names of the shipped conditions files besides the default one."""
    return sorted(file.stem for file in _shipped_folder().glob("*.toml"))


def conditions_path(name: str) -> Path:
    """Return the path of a conditions file: a shipped one by its name, "" for the default one."""
    if not name:
        return package_data("scenarios") / "conditions.toml"
    return _shipped_folder() / f"{name}.toml" if name in shipped_conditions() else Path(name)


def load_conditions(path: Path | None = None) -> dict[str, Condition]:
    """Return the conditions of a TOML file by name; by default the shipped ones.

    Raises ScenarioError naming file, key and remedy.
    """
    path = path or conditions_path("")
    file = _load(path)
    conditions: dict[str, Condition] = {}
    _add(conditions, file.condition, path)
    for axis in file.dose:
        _add(conditions, dose_conditions(axis, conditions), path)
    for contest in file.contest:
        _add(conditions, contest_conditions(contest, conditions), path)
    return conditions


def _add(conditions: dict[str, Condition], added: Iterable[Condition], path: Path) -> None:
    try:
        listed = list(added)
    except ScenarioError as exc:
        raise ScenarioError(f"{path}: {exc}") from None
    for condition in listed:
        if condition.name in conditions:
            raise ScenarioError(
                f"{path}: two conditions have the same name, {condition.name}; rename one"
            )
        conditions[condition.name] = condition


def expand_groups(names: Sequence[str], known: Mapping[str, Condition]) -> list[str]:
    """Return the names with that of a dose axis or a contest replaced by its conditions.

    A name that is neither a condition nor a group is returned as it is.
    """
    members: dict[str, list[str]] = {}
    for condition in known.values():
        for group in condition.groups:
            members.setdefault(group, []).append(condition.name)
    expanded = (
        member
        for name in names
        for member in ([name] if name in known else members.get(name, [name]))
    )
    return list(dict.fromkeys(expanded))


def load_recipes(path: Path) -> tuple[VectorRecipe, ...]:
    """Return the trainings of vectors in a conditions file; raises as `load_conditions`."""
    return _load(path).training


def _shipped_folder() -> Path:
    return package_data("scenarios") / "conditions"


def _load(path: Path) -> _File:
    file = load_toml(path, _File, ScenarioError)
    if file.format != 1:
        raise ScenarioError(f"{path}: format {file.format} is not known; this version reads 1")
    return file
