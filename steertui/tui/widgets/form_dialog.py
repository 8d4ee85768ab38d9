"""Dialog with several input lines, which are checked together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, Static

from steertui.tui.widgets.path_suggester import KEYS as PATH_KEYS
from steertui.tui.widgets.path_suggester import PathSuggester
from steertui.tui.widgets.prompts import CANCEL

KEYS = "enter  OK      tab  next line      escape  cancel"


@dataclass(frozen=True, slots=True)
class FormLine:
    """One input line.

    Attributes:
        name: key of the value in the result.
        title: before the input.
        value: at first.
        hint: shown while the input is empty.
        is_path: whether paths of files and folders are completed.
    """

    name: str
    title: str
    value: str = ""
    hint: str = ""
    is_path: bool = False


Values = Mapping[str, str]
"""Stripped texts by the name of their line."""


class FormDialog(ModalScreen[Values | None]):
    """Dialog that asks for several values; its result is None if cancelled."""

    BINDINGS = [CANCEL]  # noqa: RUF012 (Textual's own name and type)

    def __init__(
        self, question: str, lines: Sequence[FormLine], check: Callable[[Values], str]
    ) -> None:
        """Ask for the lines; `check` returns what is wrong with the values, or "" to accept."""
        super().__init__()
        self._question = question
        self._lines = lines
        self._check = check

    def compose(self) -> ComposeResult:
        """Yield the question, one input per line, what is wrong, and the keys."""
        with Vertical(classes="question form"):
            yield Static(self._question, markup=False)
            with VerticalScroll(can_focus=False):
                for line in self._lines:
                    with Horizontal(classes="form-line"):
                        yield Label(line.title, markup=False)
                        yield Input(
                            line.value,
                            placeholder=line.hint,
                            id=f"form-{line.name}",
                            compact=True,
                            suggester=PathSuggester() if line.is_path else None,
                        )
            yield Static(id="problem", markup=False)
            has_paths = any(line.is_path for line in self._lines)
            yield Static(f"{KEYS}      {PATH_KEYS}" if has_paths else KEYS, classes="keys")
        yield Footer()

    def on_input_submitted(self) -> None:
        """Close with the values if nothing is wrong with them."""
        values = {
            line.name: self.query_one(f"#form-{line.name}", Input).value.strip()
            for line in self._lines
        }
        problem = self._check(values)
        if problem:
            self.query_one("#problem", Static).update(f"! {problem}")
        else:
            self.dismiss(values)

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
