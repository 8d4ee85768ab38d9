"""Grid of an experiment's trials: scenarios as rows, conditions as columns, signs in cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from steertui.core.verdict import SIGNS, Label
from steertui.printable import one_line
from steertui.store import TrialStatus
from steertui.store.progress_queries import TrialPlace
from steertui.tui.widgets.label_style import WRITING, Palette
from steertui.tui.widgets.layout import shorten_apart

MIN_GROUP_WIDTH = 12
"""Columns that a longer name of a model gets at least: two models are told apart in these."""

MAX_TITLE_WIDTH = 24
"""Columns of a longer name of a condition; one of 64 characters would hide the others."""

MAX_SIGNS = 5
"""Maximum samples of a cell that are shown as single signs; more are counted."""


@dataclass(frozen=True, slots=True)
class GridLine:
    """Row of a scenario, or heading of a category; then `scenario` is ""."""

    title: str
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class GridColumn:
    """Column of a condition.

    Attributes:
        group: model and temperature; "" if there is only one.
        title: the condition's name, shortened to `MAX_TITLE_WIDTH`.
        width: in terminal columns.
    """

    group: str
    title: str
    width: int


@dataclass
class Grid:
    """Rows, columns, trial keys of every cell, and statuses.

    Attributes:
        lines: rows, category headings included.
        columns: one per model, temperature and condition.
        statuses: of the answered trials, by key.
        generating: keys of the trials whose answers are being generated.
        failed: keys of the trials that could not be answered.
        labelled: number of answers with a label.
        judge_failures: number of answers that the judge failed on.
    """

    lines: list[GridLine] = field(default_factory=list)
    columns: list[GridColumn] = field(default_factory=list)
    statuses: dict[str, TrialStatus] = field(default_factory=dict)
    generating: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    labelled: int = 0
    judge_failures: int = 0
    _keys: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    _cells: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, place: TrialPlace, line: int, column: int) -> None:
        """Add a trial to a cell, after the trials that are there."""
        self._keys.setdefault((line, column), []).append(place.key)
        self._cells[place.key] = (line, column)

    @property
    def samples(self) -> int:
        """Maximum number of trials in a cell; 1 for an empty grid."""
        return max(map(len, self._keys.values()), default=1)

    def set_stored(self, statuses: Mapping[str, TrialStatus], failed: Iterable[str]) -> None:
        """Set the stored statuses of all trials, and the trials that could not be answered."""
        self.statuses = dict(statuses)
        self.labelled = sum(status.label is not None for status in statuses.values())
        self.judge_failures = sum(status.failed for status in statuses.values())
        self.failed = {*failed} - statuses.keys()

    def set_status(self, key: str, status: TrialStatus) -> None:
        """Set the status of an answered trial."""
        old = self.statuses.get(key, TrialStatus())
        self.labelled += (status.label is not None) - (old.label is not None)
        self.judge_failures += status.failed - old.failed
        self.statuses[key] = status
        self.failed.discard(key)

    def cell(self, line: int, column: int) -> list[str]:
        """Return the keys of a cell's trials, in sample order."""
        return self._keys.get((line, column), [])

    def cell_of(self, key: str) -> tuple[int, int]:
        """Return the line and column of a trial."""
        return self._cells[key]

    def line_of(self, key: str) -> int:
        """Return the line of a trial."""
        return self._cells[key][0]

    def __contains__(self, key: str) -> bool:
        return key in self._cells

    def draw(self, line: int, column: int, colours: Palette) -> Text:
        """Return a cell's text: one sign per sample, or the number of convergent samples."""
        keys = self.cell(line, column)
        if len(keys) <= MAX_SIGNS:
            return Text().join(self.sign(key, colours) for key in keys)
        labels = [s.label for k in keys if (s := self.statuses.get(k)) and s.label]
        if not labels:
            return Text(f"{sum(k in self.statuses for k in keys)}/{len(keys)}", colours.faint)
        hits = sum(label is Label.CONVERGENCE for label in labels)
        shown = Label.CONVERGENCE if hits else Label.NO_CONVERGENCE
        text = Text(f"{SIGNS[shown]}{hits}", colours.label(shown))
        return text.append(f"/{len(labels)}", colours.quiet)

    def sign(self, key: str, colours: Palette) -> Text:
        """Return the sign of one trial."""
        status = self.statuses.get(key)
        if status is None:
            if key in self.generating:
                return Text(WRITING, f"bold {colours.blue}")
            return colours.sign(None, failed=key in self.failed, answered=False)
        return colours.sign(status.label, failed=status.failed)


def make_grid(places: Iterable[TrialPlace]) -> Grid:
    """Return the grid of an experiment's trials, given in planned order."""
    trials = list(places)
    heads = list(dict.fromkeys((trial.group, trial.condition) for trial in trials))
    columns = {head: index for index, head in enumerate(heads)}
    grid = Grid()
    lines = _add_lines(grid, trials)
    for trial in trials:
        grid.add(trial, lines[trial.scenario], columns[trial.group, trial.condition])
    grid.columns = _make_columns(heads, grid.samples)
    return grid


def _add_lines(grid: Grid, trials: Sequence[TrialPlace]) -> dict[str, int]:
    """Add categories and scenarios as lines; return the scenarios' line numbers by name."""
    titles_by_category: dict[str, dict[str, str]] = {}
    for trial in trials:
        titles_by_category.setdefault(trial.category, {})[trial.scenario] = trial.title
    lines: dict[str, int] = {}
    for category, titles in titles_by_category.items():
        grid.lines.append(GridLine(category))
        for scenario, title in titles.items():
            lines[scenario] = len(grid.lines)
            grid.lines.append(GridLine(title, scenario))
    return lines


def _make_columns(heads: Sequence[tuple[str, str]], samples: int) -> list[GridColumn]:
    has_groups = len({group for group, _ in heads}) > 1
    cell_width = samples if samples <= MAX_SIGNS else 2 * len(str(samples)) + 2
    names = {one_line(title) for _, title in heads}
    titles = [shorten_apart(one_line(title), names, MAX_TITLE_WIDTH) for _, title in heads]
    return [
        GridColumn(group if has_groups else "", title, max(cell_len(title), cell_width) + 2)
        for (group, _), title in zip(heads, titles, strict=True)
    ]


def fit_groups(columns: Sequence[GridColumn], room: int) -> list[GridColumn]:
    """Return the columns, widened for the names of their groups.

    The names are whole if all columns fit `room` then. Else they share what is left of it.
    """
    spare = max(0, room - sum(column.width for column in columns))
    groups = [(name, [*own]) for name, own in groupby(columns, key=lambda column: column.group)]
    widths = [sum(column.width for column in own) for _, own in groups]
    lacking = [
        max(0, cell_len(group[0]) + 1 - width) for group, width in zip(groups, widths, strict=True)
    ]
    share = spare if sum(lacking) <= spare else spare // len(groups)
    fitted: list[GridColumn] = []
    for (_, own), width, lack in zip(groups, widths, lacking, strict=True):
        more = min(lack, max(share, MIN_GROUP_WIDTH - width))
        each, rest = divmod(more, len(own))
        fitted += [replace(c, width=c.width + each + (i < rest)) for i, c in enumerate(own)]
    return fitted
