"""Forms of the Plan screen for a dose axis and a contest."""

from collections.abc import Callable, Sequence
from typing import Any

from steertui.core.grouping import NONE
from steertui.errors import ScenarioError, SteertuiError
from steertui.tui.plan.own_conditions import Kind
from steertui.tui.widgets.form_dialog import FormLine, Values

LINES = "lines"
"""Way to steer by the first lines of a suffix."""

WAYS = ("vector", "ablation", "adapter", LINES)

Add = Callable[[Kind, dict[str, Any]], None]
"""Function that adds a group to the conditions file; raises SteertuiError."""


def dose_lines() -> list[FormLine]:
    """Return the form of a dose axis."""
    return [
        FormLine("name", "name", hint="of the axis; its conditions are NAME@DOSE"),
        FormLine("way", "steer by", WAYS[0], ", ".join(WAYS)),
        FormLine("of", "of", hint="vector, adapter file, or condition whose suffix has the lines"),
        FormLine("layers", "layers", hint="of a vector, such as 8-16; one layer for an ablation"),
        FormLine("strengths", "strengths", "0.2 0.4 0.8", "doses, by spaces; 0 is added"),
        FormLine("base", "base", hint="condition that is steered; empty: the plain task"),
        FormLine("nonsense", "max. nonsense", "0.1", "limit of coherence: rise, from 0 to 1"),
        FormLine("repetition", "max. repetition", "0.1", "limit of coherence: rise, from 0 to 1"),
    ]


def contest_lines(conditions: Sequence[str]) -> list[FormLine]:
    """Return the form of a contest; `conditions` are those of the experiment."""
    hint = f"such as {', '.join(conditions[:3])}"
    return [
        FormLine("name", "name", hint="of the contest; its conditions are DEFENCE×ATTACK"),
        FormLine("defences", "defences", hint=f"{hint}; none is added"),
        FormLine("attacks", "attacks", hint=f"{hint}; none is added"),
        FormLine("margin", "margin", "0.1", "difference of rates that counts as none, 0 to 1"),
        FormLine("reference", "reference", NONE, "defence whose steering must be kept"),
    ]


def accept(
    kind: Kind, members: Callable[[Values], dict[str, Any]], add: Add
) -> Callable[[Values], str]:
    """Return a check of a form that adds the group, and says what is wrong if it cannot."""

    def check(values: Values) -> str:
        try:
            add(kind, members(values))
        except SteertuiError as exc:
            return str(exc)
        return ""

    return check


def dose_members(values: Values) -> dict[str, Any]:
    """Return the keys of a dose axis; raises ScenarioError for a wrong value."""
    members = {
        "name": values["name"],
        "base": values["base"],
        **_steering(values["way"], values["of"], values["layers"]),
        "strengths": _numbers("strengths", values["strengths"]),
        "max_nonsense": _number("max. nonsense", values["nonsense"]),
        "max_repetition": _number("max. repetition", values["repetition"]),
    }
    return {key: value for key, value in members.items() if key == "name" or value not in ("", [])}


def contest_members(values: Values) -> dict[str, Any]:
    """Return the keys of a contest; raises ScenarioError for a wrong value."""
    return {
        "name": values["name"],
        "defences": _names(values["defences"]),
        "attacks": _names(values["attacks"]),
        "margin": _number("margin", values["margin"]),
        "reference": values["reference"] or NONE,
    }


def _steering(way: str, of: str, layers: str) -> dict[str, Any]:
    """Return the key of an axis that says what is dosed."""
    if not of:
        raise ScenarioError("of: is empty; enter a vector, an adapter file or a condition")
    if way == "vector":
        return {way: {"name": of, **({"layers": layers} if layers else {})}}
    if way == "ablation":
        return {way: {"name": of, **({"layer": int(_number("layers", layers))} if layers else {})}}
    if way == "adapter":
        return {way: {"file": of}}
    if way == LINES:
        return {"suffix_lines": of}
    raise ScenarioError(f"steer by: {way or 'empty'} is none of {', '.join(WAYS)}")


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _numbers(title: str, text: str) -> list[float]:
    return [_number(title, part) for part in _names(text)]


def _number(title: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ScenarioError(f"{title}: {text!r} is not a number; enter one") from None
