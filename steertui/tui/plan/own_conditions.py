"""The user's own conditions file: conditions, dose axes and contests are appended to it."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import tomli_w

from steertui.core.condition import Condition
from steertui.core.condition_files import load_conditions, load_recipes
from steertui.core.interventions import VectorRecipe
from steertui.core.typed_name import NameRule
from steertui.errors import ScenarioError, SteertuiError
from steertui.output_files import append_text, replace_text
from steertui.paths import exists
from steertui.planning.consent import consent_kept
from steertui.steering.library import vector_names

Kind = Literal["condition", "dose", "contest"]
"""Table of a conditions file."""

_TABLE_START = re.compile(r"^(?=\[\[)", re.MULTILINE)
_NAME = NameRule(r"\w", r"[\w.-]", 64)


def require_name(name: str) -> None:
    """Raise ScenarioError unless a name of a condition or group can be typed in every command."""
    fault = _NAME.fault(name)
    if fault:
        raise ScenarioError(
            f"{name!r} is no name for a condition: it {fault}; begin with a letter or digit, and "
            "use letters, digits, '.', '_' and '-', at most 64"
        )


def free_name(start: str, taken: Collection[str]) -> str:
    """Return the first of `start`, "start-2", "start-3", … that is not taken."""
    names = (start if n == 1 else f"{start}-{n}" for n in count(1))
    return next(name for name in names if name not in taken)


def own_names(file: Path) -> set[str]:
    """Return the names of shipped conditions, and of a file's conditions and groups.

    Raises ScenarioError if the file cannot be read.
    """
    existing = load_conditions(file) if exists(file) else {}
    return {*load_conditions(), *_taken(existing)}


def _taken(conditions: Mapping[str, Condition]) -> set[str]:
    return {*conditions, *(group for c in conditions.values() for group in c.groups)}


def add_condition(
    condition: Condition,
    file: Path,
    others: Sequence[Condition] = (),
    recipes: Sequence[VectorRecipe] = (),
) -> None:
    """Append a condition to a file, after the shipped ones and `others` that the file lacks.

    `others` are the experiment's, and take the place of shipped ones of the same name. Of `recipes`
    those are appended that the file lacks, whose vectors its conditions name, and whose contrast it
    has. The file's bytes stay as they are.

    Raises SteertuiError if the name belongs to a shipped condition or is in the file already, if
    the file has another condition with the name of one of `others`, or if the file cannot be read
    or written.
    """
    _append("condition", {"suffix": "", **condition.members}, file, others, recipes)


def replace_condition(name: str, condition: Condition, file: Path) -> None:
    """Write a condition in place of the file's condition `name`; the rest of the file stays.

    Raises SteertuiError if another condition has its name, or if the file cannot be read or
    written.
    """
    existing = load_conditions(file)
    if condition.name != name:
        _check_name(condition.name, file, load_conditions(), existing)
    tables = _TABLE_START.split(_text(file))
    places = [place for place, table in enumerate(tables) if _name_of(table) == name]
    if len(places) != 1:
        raise ScenarioError(f"{file}: condition {name} cannot be replaced; correct it in the file")
    tables[places[0]] = _table("condition", {"suffix": "", **condition.members}).lstrip() + "\n"
    text = "".join(tables)
    _checked(file, text)
    with consent_kept(file):
        replace_text(file, text)


def misnamed_condition(
    file: Path, used: Sequence[str], recipes: Sequence[VectorRecipe]
) -> Condition | None:
    """Return the first of the used conditions of a file whose vector neither exists nor is trained.

    None if there is none, or if the file cannot be read.
    """
    known = {*vector_names(), *(recipe.name for recipe in recipes)}
    with suppress(SteertuiError):
        conditions = load_conditions(file) if exists(file) else {}
        for condition in (conditions[name] for name in used if name in conditions):
            if not condition.groups and any(
                not _is_known(n, known) for n in condition.vector_names
            ):
                return condition
    return None


def _is_known(vector: str, known: Collection[str]) -> bool:
    """Return whether a vector, or one of that name for a model, is known (`NAME.MODEL`)."""
    return any(name == vector or name.startswith(f"{vector}.") for name in known)


def _name_of(table: str) -> str:
    """Return the name of a text's only condition; "" for another text."""
    try:
        (condition,) = tomllib.loads(table)["condition"]
        return str(condition["name"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig") if exists(file) else ""


def add_group(
    kind: Kind,
    members: Mapping[str, Any],
    file: Path,
    others: Sequence[Condition] = (),
    recipes: Sequence[VectorRecipe] = (),
) -> None:
    """Append a dose axis or a contest with these keys to a file, as `add_condition` does.

    Raises ScenarioError also if the keys make no group with the conditions of the file.
    """
    _append(kind, members, file, others, recipes)


def _append(
    kind: Kind,
    members: Mapping[str, Any],
    file: Path,
    others: Sequence[Condition],
    recipes: Sequence[VectorRecipe],
) -> None:
    name = members["name"]
    shipped = load_conditions()
    existing = load_conditions(file) if exists(file) else {}
    _check_name(name, file, shipped, existing)
    _require_same(others, file, existing)
    known = shipped | {c.name: c for c in others}
    missing = [c for n, c in known.items() if n not in {*existing, name}]
    head = "" if exists(file) else tomli_w.dumps({"format": 1, "name": file.stem})
    rows = [_table("condition", {"suffix": "", **c.members}) for c in missing]
    before = head + "".join(rows)
    every = _checked(file, _text(file) + before + _table(kind, members))
    used = _missing_recipes(recipes, every, file)
    text = before + _table(kind, members) + "".join(_table("training", asdict(r)) for r in used)
    with nullcontext() if used else consent_kept(file):  # a training is asked about
        append_text(file, text)


def _check_name(
    name: str, file: Path, shipped: Mapping[str, Condition], existing: Mapping[str, Condition]
) -> None:
    """Raise ScenarioError if a name is missing or taken by a condition or group."""
    require_name(name)
    if name in shipped:
        raise ScenarioError(f"{name}: is the name of a shipped condition; choose another name")
    if name in _taken(existing):
        raise ScenarioError(f"{file}: already has a condition {name}; choose another name")


def _require_same(
    others: Sequence[Condition], file: Path, existing: Mapping[str, Condition]
) -> None:
    """Raise ScenarioError if the file would replace the text or setting of a condition in use."""
    for condition in others:
        present = existing.get(condition.name)
        if present and replace(present, about="") != replace(condition, about=""):
            raise ScenarioError(
                f"{file}: its condition {condition.name} differs from the one of this experiment "
                "and would take its place; rename the condition in one of the files, or rename "
                f"{file.name}"
            )


def _missing_recipes(
    recipes: Sequence[VectorRecipe], conditions: Mapping[str, Condition], file: Path
) -> list[VectorRecipe]:
    """Return the recipes that the file lacks, whose vector and contrast its conditions name."""
    present = {recipe.name for recipe in load_recipes(file)} if exists(file) else set()
    used = {name for c in conditions.values() for name in c.vector_names} - present
    return [
        recipe
        for recipe in recipes
        if recipe.name in used and {recipe.positive, recipe.negative} <= conditions.keys()
    ]


def _table(kind: str, members: Mapping[str, object]) -> str:
    text = tomli_w.dumps({kind: members})
    if r"\r" not in text:  # a multi-line string would lose a carriage return
        text = tomli_w.dumps({kind: members}, multiline_strings=True)
    return f"\n{text.replace(f'[{kind}]', f'[[{kind}]]', 1)}"


def _checked(file: Path, text: str) -> dict[str, Condition]:
    """Return the conditions that the file would have with this text.

    Raises ScenarioError if it would not be a valid conditions file.
    """
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        raise ScenarioError(
            f"{file}: no condition can be appended; write each of its conditions as a "
            "[[condition]] table"
        ) from None
    with TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        copy.write_text(text, encoding="utf-8")
        try:
            return load_conditions(copy)
        except ScenarioError as exc:
            raise ScenarioError(str(exc).replace(str(copy), str(file))) from None
