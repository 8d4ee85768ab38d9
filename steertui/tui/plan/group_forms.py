"""Forms of the Plan screen for a dose axis and a contest."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from steertui.core.condition import Condition
from steertui.core.grouping import NONE, DoseUnit
from steertui.steering.library import vector_names
from steertui.steering.vector import parse_layers
from steertui.tui.plan.own_conditions import Kind, require_name
from steertui.tui.widgets.form import (
    Form,
    FormLine,
    Values,
    first_problem,
    integer,
    number,
    numbers,
    titled,
)
from steertui.typed_lists import split_names

AXES: Mapping[DoseUnit, str] = MappingProxyType(
    {
        DoseUnit.VECTOR: "vector: strengths of a steering vector",
        DoseUnit.ABLATION: "ablation: strengths at which a vector's direction is removed",
        DoseUnit.ADAPTER: "adapter: scales of a LoRA adapter",
        DoseUnit.LINES: "lines: the first lines of a suffix",
    }
)
"""Kinds of dose axes, and what they dose."""

EXAMPLES = 2
"""Conditions that the line of an empty form names."""

_SHARE = partial(number, low=0, high=1)

Add = Callable[[Kind, dict[str, Any]], None]
"""Function that adds a group to the conditions file; raises SteertuiError."""


def dose_form(unit: DoseUnit, conditions: Sequence[Condition], add: Add) -> Form:
    """Return the form of a dose axis; an accepted form is added.

    `conditions` are those of the experiment.
    """
    lines = [
        _name_line("of the axis; its conditions are NAME@DOSE"),
        *_dosed_lines(unit, conditions),
        FormLine("base", "base", hint="condition that is steered; empty: the plain task"),
        FormLine(
            "max_nonsense", "max. nonsense", "0.1", _limit("nonsensical answers"), check=_SHARE
        ),
        FormLine("max_repetition", "max. repetition", "0.1", _limit("repeated text"), check=_SHARE),
        FormLine(
            "max_loss",
            "max. loss",
            hint="fall of log-likelihood, nats/token; empty: none",
            check=partial(number, low=0),
        ),
    ]
    question = f"A dose axis, {AXES[unit]}"
    return _form(question, lines, lambda values: add("dose", dose_members(unit, values)))


def contest_form(conditions: Sequence[Condition], add: Add) -> Form:
    """Return the form of a contest; an accepted form is added.

    `conditions` are those of the experiment.
    """
    examples = ", ".join(condition.name for condition in conditions[:EXAMPLES])
    names = f"names such as {examples}" if examples else "by spaces or commas"
    lines = [
        _name_line("of the contest; its conditions are DEFENCE×ATTACK"),
        FormLine("defences", "defences", hint=f"{names}; none is added", is_required=True),
        FormLine("attacks", "attacks", hint=f"{names}; none is added", is_required=True),
        FormLine(
            "margin",
            "margin",
            "0.1",
            "difference of rates that counts as none, above 0 and below 1",
            is_required=True,
            check=number,
        ),
        FormLine("reference", "reference", NONE, "none, or a defence whose steering must be kept"),
    ]
    question = "A contest: every defence meets every attack"
    return _form(question, lines, lambda values: add("contest", contest_members(values)))


def dose_members(unit: DoseUnit, values: Values) -> dict[str, Any]:
    """Return the keys of a dose axis."""
    limits = ("max_nonsense", "max_repetition", "max_loss")
    members = {
        "name": values["name"],
        "base": values["base"],
        **_dosed(unit, values),
        "strengths": numbers(values["strengths"]),
        **{key: float(values[key]) for key in limits if values[key]},
    }
    return {key: value for key, value in members.items() if value not in ("", [])}


def contest_members(values: Values) -> dict[str, Any]:
    """Return the keys of a contest."""
    return {
        "name": values["name"],
        "defences": _names(values["defences"]),
        "attacks": _names(values["attacks"]),
        "margin": float(values["margin"]),
        "reference": values["reference"] or NONE,
    }


def _form(question: str, lines: Sequence[FormLine], add: Callable[[Values], None]) -> Form:
    """Return a form whose check adds the group; its error has the titles of the lines for keys."""

    def check(values: Values) -> str:
        group, name, problem = first_problem(lambda: add(values)).partition(f" {values['name']}: ")
        for line in lines:
            problem = titled(problem, line.name, line.title)
        return f"{group}{name}{problem}"

    return Form(question, lines, check)


def _name_line(hint: str) -> FormLine:
    return FormLine("name", "name", hint=hint, is_required=True, check=require_name)


def _limit(what: str) -> str:
    return f"limit of coherence: rise of the share of {what}, from 0 to 1"


def _dosed_lines(unit: DoseUnit, conditions: Sequence[Condition]) -> list[FormLine]:
    """Return the lines for what is dosed, and for the doses."""
    match unit:
        case DoseUnit.VECTOR:
            return [
                _vector_line(),
                FormLine("layers", "layers", hint="such as 8-16; empty: all", check=parse_layers),
                _doses_line("strengths", "0.2 0.4 0.8"),
            ]
        case DoseUnit.ABLATION:
            return [
                _vector_line(),
                FormLine("layer", "layer", hint="one layer; empty: the best", check=integer),
                _doses_line("strengths", "0.5 1", "1 removes the direction, "),
            ]
        case DoseUnit.ADAPTER:
            file = FormLine(
                "file", "adapter file", hint="GGUF file", is_path=True, is_required=True
            )
            return [file, _doses_line("scales", "0.5 1")]
        case DoseUnit.LINES:
            suffixes = [c.name for c in conditions if c.suffix.strip()]
            hint = f"condition with the suffix, such as {', '.join(suffixes) or 'pro'}"
            source = next(iter(suffixes), "")
            return [
                FormLine("suffix_lines", "condition", source, hint, is_required=True),
                FormLine(
                    "strengths",
                    "numbers of lines",
                    hint="by spaces; empty: every number up to all lines",
                    check=numbers,
                ),
            ]


def _vector_line() -> FormLine:
    names = vector_names()
    hint = ", ".join(names) or "none yet; 7 Vectors trains one"
    return FormLine("vector", "vector", next(iter(names), ""), hint, is_required=True)


def _doses_line(title: str, value: str, about: str = "") -> FormLine:
    hint = f"{about}by spaces; 0 is added"
    return FormLine("strengths", title, value, hint, is_required=True, check=numbers)


def _dosed(unit: DoseUnit, values: Values) -> dict[str, Any]:
    """Return the key of an axis that says what is dosed."""
    match unit:
        case DoseUnit.VECTOR:
            layers = {"layers": values["layers"]} if values["layers"] else {}
            return {"vector": {"name": values["vector"], **layers}}
        case DoseUnit.ABLATION:
            layer = {"layer": int(values["layer"])} if values["layer"] else {}
            return {"ablation": {"name": values["vector"], **layer}}
        case DoseUnit.ADAPTER:
            return {"adapter": {"file": values["file"]}}
        case DoseUnit.LINES:
            return {"suffix_lines": values["suffix_lines"]}


def _names(text: str) -> list[str]:
    """Return the names in a text, split at commas if it has any, else at spaces."""
    return split_names(text) if "," in text else text.split()
