"""List of experiments: database, contents, state, gap and time, one row each."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType

from steertui.printable import one_line
from steertui.tui.recent import UP_TO_DATE, RecentExperiment
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import shorten_middle, shorten_path
from steertui.tui.widgets.stable_table import StableTable, TableContent, make_content

HEADS = ("database", "experiment", "state", "gap", "labels by", "last open")
DATABASE, EXPERIMENT, _, GAP, LABELS_BY, _ = range(len(HEADS))

MIN_WIDTHS = MappingProxyType({DATABASE: 20, EXPERIMENT: 18, LABELS_BY: 12})
"""Columns to which long texts are shortened in a narrow list, by the column of the table."""

MIN_NAME = 6
"""Columns of an experiment's name and models beside its number of trials, which is whole."""

_TRIALS = re.compile(r", [0-9,]+ trials?$")

PADDING = 2
"""Columns around each column of the table."""


class ExperimentList(StableTable):
    """Table of experiments; Enter opens the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "Open",
            id="experiments.open",
            tooltip="Open the experiment",
        ),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, cursor_type="row")
        self._experiments: list[RecentExperiment] = []
        self._colours: Palette | None = None

    def show(self, experiments: Sequence[RecentExperiment], colours: Palette) -> None:
        """Show the experiments in this order."""
        self._experiments = list(experiments)
        self._colours = colours
        self.on_resize()

    def on_resize(self) -> None:
        """Fit the columns to the width."""
        width = self.scrollable_content_region.width
        if self._colours and width:
            self.fill(list_content(self._experiments, width, self._colours))

    def at(self, row: int) -> RecentExperiment:
        """Return the experiment of a row."""
        return self._experiments[row]


def list_content(
    experiments: Sequence[RecentExperiment], width: int, colours: Palette
) -> TableContent:
    """Return the rows of experiments in at most `width` columns.

    Nothing is left out or shortened if there is room. Else databases are named by the ends of their
    paths that tell them apart, those and the descriptions are shortened, and columns that do not
    fit are left out: first those that are equal in all rows, then the last ones.
    """
    columns = _columns(experiments, colours)
    if _width_of(columns) > width:
        names = distinct_tails([e.db for e in experiments])
        columns[DATABASE] = [Text(one_line(name), colours.quiet) for name in names]
    widths = _fitting_widths(columns, width)
    kept = [_shortened(columns[i], i, widths[i]) for i in widths]
    left = [place for place, i in enumerate(widths) if i != GAP]
    rows = list(zip(*kept, strict=True))
    return make_content([HEADS[i] for i in widths], rows, left)


def _columns(experiments: Sequence[RecentExperiment], c: Palette) -> list[list[Text]]:
    """Return the cells by column, in the order of `HEADS`."""
    rows = [
        (
            Text(one_line(short_path(e.db)), c.quiet),
            Text(one_line(e.title)),
            Text(e.state, c.quiet if e.state == UP_TO_DATE else c.warning),
            Text(e.shown_gap or "–", "bold" if e.shown_judge else c.faint),
            Text(one_line(e.shown_judge), c.quiet),
            Text(e.date, c.quiet),
        )
        for e in experiments
    ]
    return [[row[i] for row in rows] for i in range(len(HEADS))]


def _width(column: Sequence[Text], index: int) -> int:
    return max(len(HEADS[index]), *(cell.cell_len for cell in column), 1)


def _width_of(columns: Sequence[Sequence[Text]]) -> int:
    return sum(_width(column, index) + PADDING for index, column in enumerate(columns))


def _fitting_widths(columns: Sequence[Sequence[Text]], room: int) -> dict[int, int]:
    """Return the widths of the columns that fit `room`, by their index and in its order."""
    full = {index: _width(column, index) for index, column in enumerate(columns)}
    widths: dict[int, int] = {}
    by_use = sorted(full, key=lambda i: len({cell.plain for cell in columns[i]}) < 2)
    for index in by_use:
        wanted = min(full[index], _least(columns[index], index))
        is_of_gap = index == LABELS_BY
        if wanted + PADDING <= room and (not is_of_gap or GAP in widths):
            widths[index] = wanted
            room -= wanted + PADDING
    for index in (index for index in MIN_WIDTHS if index in widths):
        more = min(room, full[index] - widths[index])
        widths[index] += more
        room -= more
    return dict(sorted(widths.items()))


def _least(column: Sequence[Text], index: int) -> int:
    """Return the width to which a column is shortened at most."""
    if index not in MIN_WIDTHS:
        return _width(column, index)
    trials = (len(_trials(cell.plain)) for cell in column if index == EXPERIMENT)
    return max(MIN_WIDTHS[index], *(MIN_NAME + each for each in trials), 0)


def _trials(title: str) -> str:
    """Return the end of an experiment's title, its number of trials; "" if it has none."""
    found = _TRIALS.search(title)
    return found[0] if found else ""


def shorten_title(title: str, width: int) -> str:
    """Return the title of an experiment in `width` columns, with its whole number of trials."""
    if cell_len(title) <= width:
        return title
    trials = _trials(title)
    return shorten_middle(title.removesuffix(trials), width - len(trials)) + trials


SHORTEN: Mapping[int, Callable[[str, int], str]] = MappingProxyType(
    {DATABASE: shorten_path, EXPERIMENT: shorten_title, LABELS_BY: shorten_middle}
)
"""Functions that shorten the texts of a column."""


def _shortened(column: Sequence[Text], index: int, width: int) -> list[Text]:
    if index not in SHORTEN:
        return [*column]
    return [Text(SHORTEN[index](cell.plain, width), cell.style) for cell in column]


def distinct_tails(names: Sequence[str]) -> list[str]:
    """Return the end of each path that no other path has, at least the file's name."""
    parts = [Path(name).parts for name in names]

    def tail(own: tuple[str, ...]) -> str:
        others = [other for other in parts if other != own]
        depths = range(1, len(own))
        fitting = (n for n in depths if all(other[-n:] != own[-n:] for other in others))
        return str(Path(*own[-next(fitting, len(own)) :]))

    return [tail(own) for own in parts]


def short_path(name: str) -> str:
    """Return a path relative to the working folder, or with the user's home as "~"."""
    path = Path(name)
    for folder, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(folder):
            return f"{prefix}{path.relative_to(folder)}"
    return name
