"""Editor of a custom condition: its name, and its other keys as TOML."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import tomli_w
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static, TextArea

from steertui.core.condition import Condition
from steertui.core.condition_files import load_conditions, load_recipes
from steertui.core.interventions import VectorRecipe
from steertui.errors import ScenarioError, SteertuiError
from steertui.output_files import append_text
from steertui.toml_files import parse_toml, validate

_TEXTS = ("suffix", "prefix", "system", "system_mode", "prefill", "arm", "about")
"""Keys with text, in the order of the editor."""

_EXAMPLES = {
    "vector": '[{ name = "convergence", strength = 0.4, layers = "8-16" }]',
    "ablation": '[{ name = "convergence", strength = 1.0, layer = 12 }]',
    "adapter": '[{ file = "my-lora.gguf", scale = 1.0 }]',
}
"""Keys with tables, and an example of each."""


class ConditionEditor(ModalScreen[Condition | None]):
    """Dialog that edits a condition and adds it to a file; its result is None when cancelled."""

    BINDINGS = [  # noqa: RUF012
        Binding(
            "ctrl+s",
            "save",
            "Save",
            id="editor.save",
            tooltip="Add the condition to the file",
        ),
        Binding(
            "escape",
            "cancel",
            "Cancel",
            priority=True,
            id="editor.cancel",
            tooltip="Close without saving",
        ),
    ]

    def __init__(
        self,
        condition: Condition,
        file: Path,
        others: Sequence[Condition] = (),
        recipes: Sequence[VectorRecipe] = (),
    ) -> None:
        """Edit a copy of `condition`.

        `others`, and the trainings `recipes` of the vectors in use, are copied to the file if it
        lacks them.
        """
        super().__init__()
        self._condition = condition
        self._file = file
        self._others = others
        self._recipes = recipes

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question editor"):
            yield Static("Name, and keys as TOML; an empty value adds nothing")
            yield Input(self._condition.name, placeholder="name, such as my-pro")
            yield TextArea(editable_text(self._condition), soft_wrap=True)
            yield Static("ctrl+s  save      escape  cancel", classes="keys")
        yield Footer()

    def action_save(self) -> None:
        """Save the condition and close; on an error the editor stays open."""
        name = self.query_one(Input).value.strip()
        if not name:
            self.notify("The condition has no name; enter one.", severity="warning")
            return
        try:
            condition = parse_condition(name, self.query_one(TextArea).text)
            add_condition(condition, self._file, self._others, self._recipes)
        except SteertuiError as exc:
            self.notify(str(exc), severity="error", markup=False)
            return
        self.dismiss(condition)

    def action_cancel(self) -> None:
        """Close without a condition."""
        self.dismiss(None)


def editable_text(condition: Condition) -> str:
    """Return the keys of a condition but its name as TOML, those without a value included."""
    texts = {key: getattr(condition, key) for key in _TEXTS} | {"suffix": condition.suffix.strip()}
    lines = [tomli_w.dumps({k: v}, multiline_strings="\n" in v) for k, v in texts.items()]
    for key, example in _EXAMPLES.items():
        tables = condition.members.get(key)
        lines.append(_inline(key, tables) if tables else f"{key} = []  # {example}\n")
    return "".join(lines)


def _inline(key: str, tables: Sequence[dict[str, object]]) -> str:
    """Return a list of tables on one line."""
    members = (
        ", ".join(tomli_w.dumps({k: v}).strip() for k, v in table.items()) for table in tables
    )
    return f"{key} = [{', '.join(f'{{ {each} }}' for each in members)}]\n"


def parse_condition(name: str, text: str) -> Condition:
    """Return the condition of a name and an edited text.

    Raises ScenarioError if the text is not TOML, or has a key or value that a condition lacks.
    """
    where = f"condition {name}"
    table = parse_toml(text, ScenarioError, where)
    if "name" in table:
        raise ScenarioError(f"{where}: the key name is above the text; remove it from the text")
    condition = validate({**table, "name": name}, Condition, ScenarioError, where)
    return condition if condition.about else replace(condition, about="custom condition")


def add_condition(
    condition: Condition,
    file: Path,
    others: Sequence[Condition] = (),
    recipes: Sequence[VectorRecipe] = (),
) -> None:
    """Append a condition to a file, after the shipped ones and `others` that the file lacks.

    Of `recipes` those are appended that the file lacks, whose vectors its conditions name, and
    whose contrast it has. The file's bytes stay as they are. Raises SteertuiError if the name
    belongs to a shipped condition or is in the file already, or if the file cannot be read or
    written.
    """
    shipped = load_conditions()
    existing = load_conditions(file) if file.exists() else {}
    if condition.name in shipped:
        raise ScenarioError(
            f"{condition.name}: is the name of a shipped condition; choose another name"
        )
    if condition.name in existing:
        raise ScenarioError(
            f"{file}: already has a condition {condition.name}; choose another name"
        )
    known = {c.name: c for c in others} | shipped
    missing = [c for name, c in known.items() if name not in {*existing, condition.name}]
    every = {**existing, **{c.name: c for c in (*missing, condition)}}
    head = "" if file.exists() else tomli_w.dumps({"format": 1, "name": file.stem})
    rows = [_table("condition", {"suffix": "", **c.members}) for c in (*missing, condition)]
    rows += [_table("training", asdict(r)) for r in _missing_recipes(recipes, every, file)]
    addition = head + "".join(rows)
    _check_appendable(file, addition)
    append_text(file, addition)


def _missing_recipes(
    recipes: Sequence[VectorRecipe], conditions: Mapping[str, Condition], file: Path
) -> list[VectorRecipe]:
    """Return the recipes that the file lacks, whose vector and contrast its conditions name."""
    present = {recipe.name for recipe in load_recipes(file)} if file.exists() else set()
    used = {name for c in conditions.values() for name in c.vector_names} - present
    return [
        recipe
        for recipe in recipes
        if recipe.name in used and {recipe.positive, recipe.negative} <= conditions.keys()
    ]


def _table(kind: str, members: Mapping[str, object]) -> str:
    text = tomli_w.dumps({kind: members}, multiline_strings=True)
    return f"\n{text.replace(f'[{kind}]', f'[[{kind}]]', 1)}"


def _check_appendable(file: Path, addition: str) -> None:
    """Raise ScenarioError if the file with the addition at its end is not valid TOML."""
    before = file.read_text(encoding="utf-8-sig") if file.exists() else ""
    try:
        tomllib.loads(before + addition)
    except (ValueError, RecursionError):
        raise ScenarioError(
            f"{file}: no condition can be appended; write each of its conditions as a "
            "[[condition]] table"
        ) from None
