"""Conditions: how an answer is steered, by texts around the task and by interventions.

A condition is a list of interventions; a suffix of the user message is one of them.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from steertui.core.interventions import (
    DirectionalAblation,
    LoraAdapter,
    VectorAddition,
    VectorRecipe,
)
from steertui.errors import ScenarioError
from steertui.paths import package_data
from steertui.toml_files import forbid_extra_keys, load_toml, validate
from steertui.untrusted import InvalidJsonError, parse_json

SystemMode = Literal["append", "replace"]
"""Whether a condition's system text follows the scenario's system message or replaces it."""

_FIRST_FIELDS = ("name", "suffix", "about")
"""Fields of the first version, which have columns of their own in the store."""


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
        arm: conditions of one arm are wordings, or methods, of the same intent, such as "pro"; ""
            for none.
        prefix: text before the task.
        system: text for the system message.
        system_mode: whether `system` follows the scenario's system message [default] or replaces
            it.
        prefill: beginning of the answer, which the model continues.
        vector: control vectors.
        ablation: directional ablations.
        adapter: LoRA adapters.
    """

    name: str
    suffix: str = ""
    about: str = ""
    arm: str = ""
    prefix: str = ""
    system: str = ""
    system_mode: SystemMode = "append"
    prefill: str = ""
    vector: tuple[VectorAddition, ...] = ()
    ablation: tuple[DirectionalAblation, ...] = ()
    adapter: tuple[LoraAdapter, ...] = ()

    def steer(self, task: str) -> str:
        """Return the user message: the task with the condition's prefix and suffix."""
        prefix = self.prefix.strip()
        return steer(f"{prefix}\n\n{task}" if prefix else task, self.suffix)

    def system_message(self, system: str) -> str:
        """Return the system message for a scenario's text `system`, stripped; "" for none."""
        texts = [self.system] if self.system_mode == "replace" else [system, self.system]
        return "\n\n".join(text.strip() for text in texts if text.strip())

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """What it does, as (title, text) pairs for display, in the order of the prompt."""
        system = "System text" if self.system_mode == "append" else "System text, in place of"
        texts = [
            (system, self.system),
            ("Prefix", self.prefix),
            ("Suffix", self.suffix),
            ("Prefill of the answer", self.prefill),
        ]
        parts = [(title, text.strip()) for title, text in texts if text.strip()]
        parts += [("Control vector", vector.describe()) for vector in self.vector]
        parts += [("Directional ablation", ablation.describe()) for ablation in self.ablation]
        parts += [("LoRA adapter", adapter.describe()) for adapter in self.adapter]
        return tuple(parts)

    @property
    def text(self) -> str:
        """All its parts as one text; the bare suffix if there is nothing else; "" for none."""
        parts = self.parts
        if len(parts) == 1 and self.suffix.strip():
            return parts[0][1]
        return "\n\n".join(f"[{title}]\n{text}" for title, text in parts)

    @property
    def needs_weights(self) -> bool:
        """Whether it acts on activations or weights, which a server's API does not reach."""
        return bool(self.vector or self.ablation or self.adapter)

    @property
    def vector_names(self) -> tuple[str, ...]:
        """Names of the vectors that it adds or ablates."""
        return (*(v.name for v in self.vector), *(a.name for a in self.ablation))

    @property
    def text_length(self) -> int:
        """Number of characters that it adds to a prompt."""
        return sum(map(len, (self.prefix, self.suffix, self.system, self.prefill)))

    @property
    def members(self) -> dict[str, Any]:
        """The fields that are set, as in a TOML table."""
        unset = {"system_mode"} if not self.system else set()
        return {k: v for k, v in asdict(self).items() if v and k not in unset}

    @property
    def spec(self) -> str:
        """Canonical JSON of the fields after `about` that are set; "" for none.

        The store keeps it beside name, suffix and description.
        """
        members = {k: v for k, v in self.members.items() if k not in _FIRST_FIELDS}
        if not members:
            return ""
        return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def stored_condition(name: str, suffix: str, about: str, spec: str) -> Condition:
    """Return a condition from its columns in the store.

    Raises ScenarioError if `spec` is not that of a condition.
    """
    try:
        members = parse_json(spec) if spec else {}
    except InvalidJsonError:
        members = None
    where = f"condition {name}"
    if not isinstance(members, dict) or members.keys() & set(_FIRST_FIELDS):
        raise ScenarioError(f"{where}: its stored interventions are unreadable; plan it again")
    table = {"name": name, "suffix": suffix, "about": about, **members}
    return validate(table, Condition, ScenarioError, where)


@forbid_extra_keys
@dataclass(frozen=True)
class _File:
    format: int
    condition: list[Condition]
    name: str = ""
    about: str = ""
    training: tuple[VectorRecipe, ...] = ()


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
    listed = _load(path).condition
    conditions = {condition.name: condition for condition in listed}
    if len(conditions) < len(listed):
        raise ScenarioError(f"{path}: two conditions have the same name; rename one")
    return conditions


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
