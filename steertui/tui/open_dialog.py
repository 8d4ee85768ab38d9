"""Dialog that opens an experiment: of this database, a recent one, or another database."""

from collections.abc import Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import DataTable, Footer, Input, Static

from steertui.paths import expand_home
from steertui.tui.recent import RecentExperiment
from steertui.tui.widgets.dialog_box import DialogBox
from steertui.tui.widgets.experiment_list import ExperimentList
from steertui.tui.widgets.key_line import COMPLETE, LEAVE, KeyLine
from steertui.tui.widgets.label_style import palette
from steertui.tui.widgets.line_dialog import LineDialog
from steertui.tui.widgets.path_suggester import PathSuggester
from steertui.tui.widgets.screen_words import Problem
from steertui.tui.widgets.text_line import TextLine

Chosen = RecentExperiment | Path
"""An experiment, or a database whose newest experiment is opened."""


class OpenDialog(LineDialog[Chosen | None]):
    """Dialog with the experiments, and a line for the path of another database."""

    BINDINGS = [  # noqa: RUF012 (Textual's own name and type)
        Binding("escape", "leave", "Cancel", id="open.leave", tooltip="Open nothing"),
        Binding(
            "tab", "app.focus_next", "Path", id="open.next", tooltip="Type a path", priority=True
        ),
    ]

    def __init__(
        self, experiments: Sequence[RecentExperiment], typed: str = "", problem: str = ""
    ) -> None:
        """Offer these experiments; `problem` is what was wrong with a chosen one or `typed`."""
        super().__init__()
        self._experiments = experiments
        self._typed = typed
        self._problem = problem

    def compose(self) -> ComposeResult:
        """Yield the list, the input line and the keys."""
        with DialogBox("wide"):
            yield Static("Open which experiment?", markup=False)
            yield ExperimentList(id="open-list")
            hint = "or the path of a database, an old or a new one, such as other.db"
            yield TextLine(self._typed, placeholder=hint, suggester=PathSuggester())
            yield Problem()
            yield KeyLine(("enter", "open"), ("tab", "type a path"), COMPLETE, LEAVE)
        yield Footer()

    def on_mount(self) -> None:
        """Show the list and what was wrong; focus the line with a typed path or without a list."""
        self.query_one(Problem).show(self._problem)
        experiments = self.query_one(ExperimentList)
        experiments.show(self._experiments, palette(self.app.current_theme.dark))
        experiments.display = bool(self._experiments)
        has_line = self._typed or not self._experiments
        self.set_focus(self.query_one(Input) if has_line else experiments)

    @on(DataTable.RowSelected)
    def _chosen(self, event: DataTable.RowSelected) -> None:
        self.dismiss(self.query_one(ExperimentList).at(event.cursor_row))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the path; an empty line opens nothing."""
        name = event.value.strip()
        self.dismiss(expand_home(name) if name else None)

    def action_leave(self) -> None:
        """Close without a result."""
        self.dismiss(None)
