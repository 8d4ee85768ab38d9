"""List of experiments: state, gap, time, contents and database, one row each."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from steertui.printable import one_line
from steertui.tui.recent import UP_TO_DATE, RecentExperiment
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.stable_table import StableTable, make_content

HEADS = ("last open", "gap", "state", "experiment", "labels by", "database")
LEFT_COLUMNS = (0, 2, 3, 4, 5)

MAX_TITLE = 44
"""Columns of the description of an experiment."""


class ExperimentList(StableTable):
    """Table of experiments; Enter opens the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "Open",
            key_display="enter",
            id="experiments.open",
            tooltip="Open the experiment",
        ),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, cursor_type="row")
        self._experiments: list[RecentExperiment] = []

    def show(self, experiments: Sequence[RecentExperiment], colours: Palette) -> None:
        """Show the experiments in this order."""
        self._experiments = list(experiments)
        rows = [_cells(experiment, colours) for experiment in experiments]
        self.fill(make_content(HEADS, rows, LEFT_COLUMNS))

    def at(self, row: int) -> RecentExperiment:
        """Return the experiment of a row."""
        return self._experiments[row]


def _cells(experiment: RecentExperiment, colours: Palette) -> list[str | Text]:
    title = Text(one_line(experiment.title))
    title.truncate(MAX_TITLE, overflow="ellipsis")
    style = colours.quiet if experiment.state == UP_TO_DATE else colours.warning
    return [
        Text(experiment.date, colours.quiet),
        Text(experiment.shown_gap or "–", "bold" if experiment.shown_gap else colours.faint),
        Text(experiment.state, style),
        title,
        Text(one_line(experiment.shown_judge), colours.quiet),
        Text(one_line(short_path(experiment.db)), colours.quiet),
    ]


def short_path(name: str) -> str:
    """Return a path relative to the working folder, or with the user's home as "~"."""
    path = Path(name)
    for folder, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(folder):
            return f"{prefix}{path.relative_to(folder)}"
    return name
