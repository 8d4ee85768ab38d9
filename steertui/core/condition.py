"""Conditions: how a prompt is steered, by a suffix of the user message."""

from dataclasses import dataclass
from pathlib import Path

from steertui.errors import ScenarioError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml


def steer(task: str, suffix: str) -> str:
    """Return the task with a suffix, by the rule of the paper (arXiv 2601.01584, published code).

    The suffix is stripped and follows an empty line. An empty suffix leaves the task unchanged.
    """
    if not suffix.strip():
        return task
    return f"{task.rstrip()}\n\n{suffix.strip()}\n"


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the paired design: `baseline`, `pro`, `anti`, `placebo` or a custom one.

    Attributes:
        name: name in tables.
        suffix: text after the task; "" for none.
        about: description, one sentence.
    """

    name: str
    suffix: str = ""
    about: str = ""

    def steer(self, task: str) -> str:
        """Return the user message: the task with the condition's suffix."""
        return steer(task, self.suffix)


@forbid_extra_keys
@dataclass(frozen=True)
class _File:
    format: int
    condition: list[Condition]
    name: str = ""
    about: str = ""


def load_conditions(path: Path | None = None) -> dict[str, Condition]:
    """Return the conditions of a TOML file by name; by default the shipped ones.

    Raises ScenarioError naming file, key and remedy.
    """
    path = path or package_data("scenarios") / "conditions.toml"
    file = load_toml(path, _File, ScenarioError)
    if file.format != 1:
        raise ScenarioError(f"{path}: format {file.format} is not known; this version reads 1")
    conditions = {condition.name: condition for condition in file.condition}
    if len(conditions) < len(file.condition):
        raise ScenarioError(f"{path}: two conditions have the same name; rename one")
    return conditions
