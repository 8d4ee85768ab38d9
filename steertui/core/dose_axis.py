"""Dose axes of a conditions file: one condition for each strength of an intervention."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from steertui.core.condition import Condition, suffix_lines
from steertui.core.grouping import DoseStep, DoseUnit
from steertui.core.interventions import DirectionalAblation, LoraAdapter, VectorAddition
from steertui.errors import ScenarioError
from steertui.toml_files import forbid_extra_keys

MAX_DOSES = 100
"""Maximum number of doses of one axis."""


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class DosedVector:
    """A control vector without its strength, as in `VectorAddition`."""

    name: str
    layers: str = ""


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class DosedAblation:
    """A directional ablation without its strength, as in `DirectionalAblation`."""

    name: str
    layer: int = 0


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class DosedAdapter:
    """A LoRA adapter without its scale, as in `LoraAdapter`."""

    file: str


@forbid_extra_keys
@dataclass(frozen=True, slots=True)
class DoseTable:
    """A dose axis in a conditions file: a base condition and one intervention of several strengths.

    Exactly one of `vector`, `ablation`, `adapter` and `suffix_lines` is given.

    Attributes:
        name: of the axis; its conditions are "NAME@DOSE".
        base: condition to which the intervention is added; "" for the plain task [default].
        vector: control vector.
        ablation: directional ablation.
        adapter: LoRA adapter.
        suffix_lines: condition whose suffix is given by its first lines; replaces the suffix of the
            base.
        strengths: doses. 0 is always added, as the anchor. For `suffix_lines`: numbers of lines,
            empty for all [default].
        leave_one_out: whether the whole suffix without each of its lines is added.
        arm: of the conditions, "" for none.
        max_nonsense: limit of coherence (`CoherenceLimits`) [default: 0.1].
        max_repetition: limit of coherence, from 0 to 1 [default: 0.1].
        max_loss: limit of coherence, at least 0; None for none [default].
    """

    name: str
    base: str = ""
    vector: DosedVector | None = None
    ablation: DosedAblation | None = None
    adapter: DosedAdapter | None = None
    suffix_lines: str = ""
    strengths: tuple[float, ...] = ()
    leave_one_out: bool = False
    arm: str = ""
    max_nonsense: float = 0.1
    max_repetition: float = 0.1
    max_loss: float | None = None


def dose_conditions(table: DoseTable, known: Mapping[str, Condition]) -> Iterator[Condition]:
    """Yield the conditions of an axis, by increasing dose.

    Raises ScenarioError for an unknown condition, or kinds or strengths that make no axis.
    """
    unit = _unit(table)
    base = _find(table, table.base, known) if table.base else Condition("")
    if unit is DoseUnit.LINES:
        source = _find(table, table.suffix_lines, known)
        yield from _ladder(table, base, suffix_lines(source.suffix))
        return
    if table.leave_one_out:
        raise _error(table, "leave_one_out is for suffix_lines; remove it")
    for dose in _doses(table, table.strengths):
        steered = _with_strength(table, base, dose)
        yield _member(table, steered, f"{table.name}@{dose:g}", DoseStep(table.name, dose, unit))


def _unit(table: DoseTable) -> DoseUnit:
    given = {
        DoseUnit.VECTOR: table.vector,
        DoseUnit.ABLATION: table.ablation,
        DoseUnit.ADAPTER: table.adapter,
        DoseUnit.LINES: table.suffix_lines,
    }
    units = [unit for unit, value in given.items() if value]
    if len(units) != 1:
        raise _error(table, "give exactly one of vector, ablation, adapter and suffix_lines")
    _require_limits(table)
    return units[0]


def _require_limits(table: DoseTable) -> None:
    shares = {"max_nonsense": table.max_nonsense, "max_repetition": table.max_repetition}
    for key, share in shares.items():
        if not 0 <= share <= 1:
            raise _error(table, f"{key}: {share} is out of range; give 0 to 1")
    loss = table.max_loss
    if loss is not None and not (isfinite(loss) and loss >= 0):
        raise _error(table, f"max_loss: {loss} is out of range; give nats per token, at least 0")


def _doses(table: DoseTable, strengths: tuple[float, ...]) -> list[float]:
    if not all(map(isfinite, strengths)):
        raise _error(table, "strengths: one is not a finite number; correct it")
    doses = sorted({0.0, *strengths})
    if not 2 <= len(doses) <= MAX_DOSES:
        raise _error(table, f"strengths: give 1 to {MAX_DOSES - 1} besides 0")
    names = {f"{dose:g}" for dose in doses}
    if len(strengths) > len(set(strengths)) or len(names) < len(doses):
        raise _error(table, "strengths: two are equal in their first six digits; give each once")
    return doses


def _with_strength(table: DoseTable, base: Condition, dose: float) -> Condition:
    if table.vector:
        addition = VectorAddition(table.vector.name, dose, table.vector.layers)
        return replace(base, vector=(*base.vector, addition))
    if table.ablation:
        ablation = DirectionalAblation(table.ablation.name, dose, table.ablation.layer)
        return replace(base, ablation=(*base.ablation, ablation))
    assert table.adapter
    return replace(base, adapter=(*base.adapter, LoraAdapter(table.adapter.file, dose)))


def _ladder(table: DoseTable, base: Condition, lines: list[str]) -> Iterator[Condition]:
    """Yield the base with the first lines of a suffix, then with all lines but one."""
    if not lines:
        raise _error(table, f"suffix_lines: {table.suffix_lines} has no suffix; name one that has")
    counts = _doses(table, table.strengths or tuple(map(float, range(1, len(lines) + 1))))
    for count in counts:
        if count != int(count) or not 0 <= count <= len(lines):
            raise _error(
                table, f"strengths: {count:g} lines; give whole numbers up to {len(lines)}"
            )
        step = DoseStep(table.name, count, DoseUnit.LINES)
        text = "\n".join(lines[: int(count)])
        yield _member(table, replace(base, suffix=text), f"{table.name}@{count:g}", step)
    for left_out in range(1, len(lines) + 1) if table.leave_one_out else ():
        text = "\n".join(line for number, line in enumerate(lines, 1) if number != left_out)
        step = DoseStep(table.name, len(lines) - 1, DoseUnit.LINES, without=left_out)
        name = f"{table.name} without line {left_out}"
        yield _member(table, replace(base, suffix=text), name, step)


def _member(table: DoseTable, steered: Condition, name: str, step: DoseStep) -> Condition:
    about = f"Axis {table.name}: {step.unit} at {step.dose:g}."
    if step.without:
        about = f"Axis {table.name}: all lines but line {step.without}."
    step = replace(
        step,
        max_nonsense=table.max_nonsense,
        max_repetition=table.max_repetition,
        max_loss=table.max_loss,
    )
    return replace(steered, name=name, about=about, arm=table.arm, step=step, cell=None)


def _find(table: DoseTable, name: str, known: Mapping[str, Condition]) -> Condition:
    if name not in known:
        raise _error(table, f"no condition {name}; there are {', '.join(known) or 'none'}")
    return known[name]


def _error(table: DoseTable, message: str) -> ScenarioError:
    return ScenarioError(f"dose axis {table.name}: {message}")
