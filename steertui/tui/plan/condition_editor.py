"""The editor of a condition of the user's own: its name, and the text put after the task."""

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
    """Asks for a condition and adds it to a file of conditions; None where the user leaves."""

    BINDINGS = [  # noqa: RUF012
        Binding("ctrl+s", "take", "Keep", priority=True, id="editor.take", tooltip="Keep it"),
        Binding("escape", "leave", "Leave", priority=True, id="editor.leave", tooltip="As it was"),
    ]

    def __init__(self, condition: Condition, file: Path) -> None:
        super().__init__()
        self._condition = condition
        self._file = file

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question editor"):
            yield Static("A condition's name, and the suffix that is put after the task")
            yield Input(self._condition.name, placeholder="name, such as my-pro")
            yield TextArea(self._condition.suffix.strip(), soft_wrap=True)
            yield Static("ctrl+s  keep it      escape  leave it", classes="keys")
        yield Footer()

    def action_take(self) -> None:
        """Save the condition and give it; the editor stays open where that is refused."""
        name = self.query_one(Input).value.strip()
        if not name:
            self.notify("Give it a name.", severity="warning")
            return
        made = Condition(name, self.query_one(TextArea).text, "of your own")
        try:
            keep(made, self._file)
        except SteertuiError as exc:
            self.notify(str(exc), severity="error", markup=False)
            return
        self.dismiss(made)

    def action_leave(self) -> None:
        """Leave without."""
        self.dismiss(None)


def keep(condition: Condition, file: Path) -> None:
    """Add a condition to a file of conditions, and the shipped ones that the file lacks.

    Every byte that the file holds stays. Raises SteertuiError where the name is a shipped
    condition's or is in the file already, or the file cannot be read or written.
    """
    shipped = load_conditions()
    known = load_conditions(file) if file.exists() else {}
    if condition.name in shipped:
        raise ScenarioError(f"{condition.name}: is the name of a shipped condition; choose another")
    if condition.name in known:
        raise ScenarioError(
            f"{file}: has a condition {condition.name} already; choose another name"
        )
    missing = [c for name, c in shipped.items() if name not in known]
    head = "" if file.exists() else tomli_w.dumps({"format": 1, "name": file.stem})
    rows = "".join(map(_table, [*missing, condition]))
    _check(file, head + rows)
    append_text(file, head + rows)


def _table(condition: Condition) -> str:
    row = {"name": condition.name, "about": condition.about, "suffix": condition.suffix}
    return f"\n[[condition]]\n{tomli_w.dumps(row, multiline_strings=True)}"


def _check(file: Path, more: str) -> None:
    """Raise ScenarioError where the file could not be read with more text at its end."""
    before = file.read_text(encoding="utf-8-sig") if file.exists() else ""
    try:
        tomllib.loads(before + more)
    except tomllib.TOMLDecodeError:
        raise ScenarioError(
            f"{file}: a condition cannot be added at its end; write each of its conditions as a "
            "[[condition]] table"
        ) from None
