"""The editor of a condition of the user's own: its name, and the text put after the task."""

from pathlib import Path

import tomli_w
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static, TextArea

from steertui.core.condition import Condition, load_conditions
from steertui.errors import ScenarioError


class ConditionEditor(ModalScreen[Condition | None]):
    """Asks for a condition; None where the user leaves."""

    BINDINGS = [  # noqa: RUF012
        Binding("ctrl+s", "take", "Keep", priority=True, id="editor.take", tooltip="Keep it"),
        Binding("escape", "leave", "Leave", priority=True, id="editor.leave", tooltip="As it was"),
    ]

    def __init__(self, condition: Condition) -> None:
        super().__init__()
        self._condition = condition

    def compose(self) -> ComposeResult:
        """Lay out."""
        with Vertical(classes="question editor"):
            yield Static("A condition's name, and the suffix that is put after the task")
            yield Input(self._condition.name, placeholder="name, such as my-pro")
            yield TextArea(self._condition.suffix.strip(), soft_wrap=True)
            yield Static("ctrl+s  keep it      escape  leave it", classes="keys")
        yield Footer()

    def action_take(self) -> None:
        """Give the condition, if it has a name."""
        name = self.query_one(Input).value.strip()
        if not name:
            self.notify("Give it a name.", severity="warning")
            return
        self.dismiss(Condition(name, self.query_one(TextArea).text, "of your own"))

    def action_leave(self) -> None:
        """Leave without."""
        self.dismiss(None)


def keep(condition: Condition, file: Path) -> None:
    """Write a condition into a file of conditions, beside the shipped ones and those in it.

    Raises ScenarioError where the file cannot be read or written.
    """
    found = load_conditions() | (load_conditions(file) if file.exists() else {})
    found[condition.name] = condition
    rows = [{"name": c.name, "about": c.about, "suffix": c.suffix} for c in found.values()]
    try:
        text = {"format": 1, "name": file.stem, "condition": rows}
        file.write_text(tomli_w.dumps(text, multiline_strings=True), encoding="utf-8")
    except OSError as exc:
        raise ScenarioError(f"{file}: cannot be written ({exc.strerror})") from None
