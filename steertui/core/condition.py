"""Conditions: how an answer is steered, by texts around the task and by interventions.

A condition is a list of interventions; a suffix of the user message is one of them.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from steertui.core.grouping import Access, ContestCell, DoseStep, DoseUnit
from steertui.core.interventions import DirectionalAblation, LoraAdapter, VectorAddition
from steertui.errors import ScenarioError
from steertui.toml_files import forbid_extra_keys, validate
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


def suffix_lines(suffix: str) -> list[str]:
    """Return the lines of a suffix, each with the empty lines before it; joined by "\\n", the
    stripped suffix."""
    lines: list[str] = []
    empty: list[str] = []
    for line in suffix.strip().splitlines():
        empty.append(line)
        if line.strip():
            lines.append("\n".join(empty))
            empty = []
    return lines


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
        step: which dose of which axis it is; None for none.
        cell: which cell of which contest it is; None for none.
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
    step: DoseStep | None = None
    cell: ContestCell | None = None

    def __post_init__(self) -> None:
        if self.step and self.step.dose not in self._doses(self.step.unit):
            raise ScenarioError(
                f"condition {self.name}: the key step has dose {self.step.dose:g}, and its "
                f"{self.step.unit} has another one; correct it or remove the key"
            )

    def _doses(self, unit: DoseUnit) -> list[float]:
        """Return the doses in a unit that it has."""
        match unit:
            case DoseUnit.VECTOR:
                return [vector.strength for vector in self.vector]
            case DoseUnit.ABLATION:
                return [ablation.strength for ablation in self.ablation]
            case DoseUnit.ADAPTER:
                return [adapter.scale for adapter in self.adapter]
            case DoseUnit.LINES:
                return [float(len(suffix_lines(self.suffix)))]

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
        return (*parts, *self.weight_parts)

    @property
    def weight_parts(self) -> tuple[tuple[str, str], ...]:
        """What it does to activations and weights, as (title, text) pairs for display."""
        return (
            *(("Control vector", vector.describe()) for vector in self.vector),
            *(("Directional ablation", ablation.describe()) for ablation in self.ablation),
            *(("LoRA adapter", adapter.describe()) for adapter in self.adapter),
        )

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
    def access(self) -> tuple[Access, ...]:
        """What it changes, from the user text to the weights; () for the plain task."""
        replaces = self.system_mode == "replace"
        touched = {
            Access.USER_TEXT: self.prefix.strip() or self.suffix.strip(),
            Access.SYSTEM_TEXT: self.system.strip() and not replaces,
            Access.WHOLE_PROMPT: self.prefill or replaces,
            Access.ACTIVATIONS: self.vector,
            Access.WEIGHTS: self.ablation or self.adapter,
        }
        return tuple(access for access, is_touched in touched.items() if is_touched)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the dose axis and of the contest that it is part of."""
        names = (self.step and self.step.axis, self.cell and self.cell.contest)
        return tuple(name for name in names if name)

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
        members = {k: v for k, v in asdict(self).items() if v and k not in unset}
        if self.step:
            members["step"] = {k: v for k, v in asdict(self.step).items() if v is not None}
        return members

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
