"""Editor of a custom condition: its name, and its other keys as TOML or a suffix as plain text."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import tomli_w
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static, TextArea

from steertui.core.condition import Condition
from steertui.core.interventions import VectorRecipe
from steertui.errors import ScenarioError, SteertuiError
from steertui.toml_files import parse_toml, validate
from steertui.tui.plan.condition_texts import ConditionTexts
from steertui.tui.plan.own_conditions import (
    add_condition,
    free_name,
    misnamed_condition,
    own_names,
    replace_condition,
)
from steertui.tui.widgets.dialog_box import DialogBox
from steertui.tui.widgets.key_line import LEAVE, KeyLine
from steertui.tui.widgets.prompts import Confirm
from steertui.tui.widgets.screen_words import Problem
from steertui.tui.widgets.text_line import TextLine, typed_character

_TEXTS = ("suffix", "prefix", "system", "system_mode", "prefill", "arm", "about")
"""Keys with text, in the order of the editor."""

_EXAMPLES = {
    "vector": '[{ name = "convergence", strength = 0.4, layers = "8-16" }]',
    "ablation": '[{ name = "convergence", strength = 1.0, layer = 12 }]',
    "adapter": '[{ file = "my-lora.gguf", scale = 1.0 }]',
}
"""Keys with tables, and an example of each."""

_KEY_LINE = re.compile(r"^\s*(\[|[\w.-]+\s*=)", re.MULTILINE)
"""Beginning of a line of TOML that is neither empty nor a comment."""

_REMEDY = (
    'put texts between quotation marks, such as suffix = "Be careful.", or write a suffix only'
)


_SELECT_ALL = Binding(
    "ctrl+a",
    "select_all",
    "Select all",
    id="editor.all",
    tooltip="Select the whole text, to replace it",
)
"""Key of both texts, as in other programs; home goes to the line's start."""


class NameLine(TextLine):
    """Name of the condition."""

    BINDINGS = [_SELECT_ALL]  # noqa: RUF012 (Textual's own name and type)


class ConditionArea(TextArea):
    """Keys of the condition, or its suffix."""

    BINDINGS = [_SELECT_ALL]  # noqa: RUF012

    def on_key(self, event: Key) -> None:
        """Insert a typed character that is text, but not printable: see `typed_character`."""
        character = typed_character(event)
        if character and not event.is_printable:
            event.prevent_default()
            event.stop()
            self.replace(character, *self.selection, maintain_selection_offset=False)


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
            tooltip="Close without saving; a changed text is asked about",
        ),
    ]

    def __init__(
        self,
        condition: Condition,
        file: Path,
        others: Sequence[Condition] = (),
        recipes: Sequence[VectorRecipe] = (),
        *,
        is_stored: bool = False,
    ) -> None:
        """Edit a copy of `condition`, which has a name of its own.

        With `is_stored` it is in the file, where the edited one takes its place.

        `others`, and the trainings `recipes` of the vectors in use, are copied to the file if it
        lacks them.
        """
        super().__init__()
        self._condition = condition
        self._file = file
        self._others = others
        self._recipes = recipes
        self._is_stored = is_stored

    @property
    def corrected(self) -> str:
        """Name of the condition of the file that is edited; "" for a new one."""
        return self._condition.name if self._is_stored else ""

    def compose(self) -> ComposeResult:
        """Lay out."""
        with DialogBox("editor"):
            yield Static("Name, and a suffix or keys as TOML; empty values add nothing")
            yield NameLine(self._condition.name, placeholder="name, such as my-pro")
            yield ConditionArea(editable_text(self._condition), soft_wrap=True)
            yield Problem()
            yield KeyLine(("ctrl+s", "save"), ("ctrl+a", "select all"), LEAVE)
        yield Footer()

    def action_save(self) -> None:
        """Save the condition and close; on an error the editor stays open."""
        try:
            condition = self._typed()
            if self._is_stored:
                replace_condition(self._condition.name, condition, self._file)
            else:
                add_condition(condition, self._file, self._others, self._recipes)
        except SteertuiError as exc:
            self.query_one(Problem).show(str(exc))
            return
        self.dismiss(condition)

    def _typed(self) -> Condition:
        """Return the typed condition.

        Raises ScenarioError if it has no name, is wrong, or does what another condition does.
        """
        name = self.query_one(Input).value.strip()
        if not name:
            raise ScenarioError("the condition has no name; enter one")
        condition = parse_condition(name, self.query_one(TextArea).text)
        twin = next((c for c in self._others if c.parts == condition.parts), None)
        if twin:
            raise ScenarioError(f"{name}: steers as {twin.name} does; change the text")
        return condition

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """Close without a condition; ask first if something was typed."""
        before = (self._condition.name, editable_text(self._condition))
        typed = (self.query_one(Input).value, self.query_one(TextArea).text)
        question = "The condition is not saved. Discard it?"
        if typed == before or await self.app.push_screen_wait(Confirm(question, "Discard")):
            self.dismiss(None)


def editor_of(
    texts: ConditionTexts, file: Path, names: Sequence[str], *, is_wrong: bool
) -> ConditionEditor:
    """Return the editor of a new condition, which starts from the text of `texts.pro`.

    If the plan with these names `is_wrong`, and one of them in the file names a vector that does
    not exist, that condition is edited. Raises SteertuiError if the file cannot be read.
    """
    wrong = misnamed_condition(file, names, texts.recipes) if is_wrong else None
    if wrong:
        return ConditionEditor(wrong, file, is_stored=True)
    new = replace(texts.pro, name=free_name("my-condition", own_names(file)), about="")
    return ConditionEditor(new, file, texts.used, texts.recipes)


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
    """Return the condition of a name and an edited text; a text without any key is its suffix.

    Raises ScenarioError if the text is not TOML, or has a key or value that a condition lacks.
    """
    where = f"condition {name}"
    is_toml = _KEY_LINE.search(text) or not _without_comments(text)
    table = parse_toml(text, ScenarioError, where, _REMEDY) if is_toml else {"suffix": text}
    if "name" in table:
        raise ScenarioError(f"{where}: the key name is above the text; remove it from the text")
    condition = validate({**table, "name": name}, Condition, ScenarioError, where)
    return condition if condition.about else replace(condition, about="custom condition")


def _without_comments(text: str) -> str:
    """Return the text without lines that are comments in TOML, stripped."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(lines).strip()
