"""A Grid: the trials of an experiment as lines and columns, and what stands in every cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from steertui.core.verdict import SIGNS, Label
from steertui.store import TrialStatus
from steertui.store.progress_queries import TrialPlace
from steertui.tui.widgets.label_style import WRITING, Palette

MOST_SIGNS = 5
"""Samples of a cell that are shown one by one; more are counted."""


@dataclass(frozen=True, slots=True)
class GridLine:
    """A scenario, or the name of a category over its scenarios; then `scenario` is ""."""

    title: str
    scenario: str = ""


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A condition of a model and temperature; `group` is "" where there is only one."""

    group: str
    title: str
    width: int


@dataclass
class Grid:
    """Lines, columns, the keys of the trials in every cell, and how each of them stands.

    Attributes:
        states: the answered trials.
        writing: those that are being written.
        failed: those that could not be answered.
        labelled: how many answers bear a label.
        unread: how many the judge has failed at.
    """

    lines: list[GridLine] = field(default_factory=list)
    columns: list[GridColumn] = field(default_factory=list)
    states: dict[str, TrialStatus] = field(default_factory=dict)
    writing: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    labelled: int = 0
    unread: int = 0
    _keys: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def put(self, key: str, cell: TrialStatus) -> None:
        """Say how an answered trial stands."""
        old = self.states.get(key, TrialStatus())
        self.labelled += (cell.label is not None) - (old.label is not None)
        self.unread += cell.failed - old.failed
        self.states[key] = cell
        self.failed.discard(key)

    def cell(self, line: int, column: int) -> list[str]:
        """Return the keys of a cell's trials, in the order of the samples."""
        return self._keys.get((line, column), [])

    def place_of(self, key: str) -> tuple[int, int]:
        """Return the line and column of a trial."""
        return self._places[key]

    def line_of(self, key: str) -> int:
        """Return the line of a trial."""
        return self._places[key][0]

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def draw(self, line: int, column: int, colours: Palette) -> Text:
        """Return what a cell shows: a sign for each sample, or how many of them converge."""
        keys = self.cell(line, column)
        if len(keys) <= MOST_SIGNS:
            return Text().join(self.sign(key, colours) for key in keys)
        labels = [s.label for k in keys if (s := self.states.get(k)) and s.label]
        if not labels:
            return Text(f"{sum(k in self.states for k in keys)}/{len(keys)}", colours.faint)
        hits = sum(label is Label.CONVERGENCE for label in labels)
        shown = Label.CONVERGENCE if hits else Label.NO_CONVERGENCE
        text = Text(f"{SIGNS[shown]}{hits}", colours.label(shown))
        return text.append(f"/{len(labels)}", colours.quiet)

    def sign(self, key: str, colours: Palette) -> Text:
        """Return a trial's own sign."""
        state = self.states.get(key)
        if state is None:
            if key in self.writing:
                return Text(WRITING, f"bold {colours.blue}")
            return colours.sign(None, failed=key in self.failed, answered=False)
        return colours.sign(state.label, failed=state.failed)


def make_grid(places: Iterable[TrialPlace]) -> Grid:
    """Return the grid of an experiment's trials, given in planned order."""
    found = list(places)
    heads = list(dict.fromkeys((p.group, p.condition) for p in found))
    grid = Grid()
    lines: dict[str, int] = {}
    by_category: dict[str, dict[str, str]] = {}
    for p in found:
        by_category.setdefault(p.category, {})[p.scenario] = p.title
    for category, titles in by_category.items():
        grid.lines.append(GridLine(category))
        for scenario, title in titles.items():
            lines[scenario] = len(grid.lines)
            grid.lines.append(GridLine(title, scenario))
    index = {head: i for i, head in enumerate(heads)}
    for p in found:
        place = lines[p.scenario], index[p.group, p.condition]
        grid._keys.setdefault(place, []).append(p.key)
        grid._places[p.key] = place
    samples = max(map(len, grid._keys.values()), default=1)
    grid.columns = _columns(heads, samples)
    return grid


def _columns(heads: Sequence[tuple[str, str]], samples: int) -> list[GridColumn]:
    several = len({group for group, _ in heads}) > 1
    signs = samples if samples <= MOST_SIGNS else 2 * len(str(samples)) + 2
    return [
        GridColumn(group if several else "", title, max(len(title), signs) + 2)
        for group, title in heads
    ]
