"""Editor of a custom condition: its name, and the suffix that follows the task."""

import tomllib
from pathlib import Path

import tomli_w
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static, TextArea

from steertui.core.condition import Condition, load_conditions
from steertui.errors import ScenarioError, SteertuiError
from steertui.output_files import append_text


class ConditionEditor(ModalScreen[Condition | None]):
    """Dialog that edits a condition and adds it to a file; its result is None when cancelled."""

    BINDINGS = [  # noqa: RUF012
        Binding(
            "ctrl+s",
            "save",
            "Save",
            priority=True,
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

    def __init__(self, condition: Condition, file: Path) -> None:
        super().__init__()
        self._condition = condition
        self._file = file

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question editor"):
            yield Static("Name of the condition, and the suffix that follows the task")
            yield Input(self._condition.name, placeholder="name, such as my-pro")
            yield TextArea(self._condition.suffix.strip(), soft_wrap=True)
            yield Static("ctrl+s  save      escape  cancel", classes="keys")
        yield Footer()

    def action_save(self) -> None:
        """Save the condition and close; on an error the editor stays open."""
        name = self.query_one(Input).value.strip()
        if not name:
            self.notify("The condition has no name; enter one.", severity="warning")
            return
        condition = Condition(name, self.query_one(TextArea).text, "custom condition")
        try:
            add_condition(condition, self._file)
        except SteertuiError as exc:
            self.notify(str(exc), severity="error", markup=False)
            return
        self.dismiss(condition)

    def action_cancel(self) -> None:
        """Close without a condition."""
        self.dismiss(None)


def add_condition(condition: Condition, file: Path) -> None:
    """Append a condition to a file of conditions, after the shipped ones that the file lacks.

    The file's bytes stay as they are. Raises SteertuiError if the name belongs to a shipped
    condition or is in the file already, or if the file cannot be read or written.
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
    missing = [c for name, c in shipped.items() if name not in existing]
    head = "" if file.exists() else tomli_w.dumps({"format": 1, "name": file.stem})
    rows = "".join(map(_table, [*missing, condition]))
    _check_appendable(file, head + rows)
    append_text(file, head + rows)


def _table(condition: Condition) -> str:
    row = {"suffix": "", **condition.members}
    text = tomli_w.dumps({"condition": row}, multiline_strings=True)
    return f"\n{text.replace('[condition]', '[[condition]]', 1)}"


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
