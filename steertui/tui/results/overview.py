"""Overview of an experiment's tables: the primary comparison of each model, temperature and judge.

A forest plot in a table, sorted by gap: points, interval, bar, the paper's gap and the finding.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from steertui.analysis.formatting import (
    gap_columns,
    interval_heading,
    marked,
    pair_title,
    shared_legend,
)
from steertui.analysis.sentences import Finding, GapResult
from steertui.analysis.table import Table
from steertui.printable import one_line
from steertui.report.figures import paper_rates, paper_words
from steertui.stats.rate import Rate
from steertui.tui.results.rates import GAP_AXIS, paper_gap
from steertui.tui.widgets.bars import interval_bar
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import shorten_apart
from steertui.tui.widgets.stable_table import TableContent, make_content

MIN_BAR_SCREEN = 130
"""Columns of the screen from which the overview has bars."""

BAR_WIDTH = 25

MIN_NAME = 14
"""Columns that a name keeps if space is short."""

EDGES = 6
"""Columns of the screen beside the table: its margins and its scroll bar."""


class _Column(Enum):
    """Columns in their order."""

    MODEL = auto()
    TEMPERATURE = auto()
    JUDGE = auto()
    POINTS = auto()
    INTERVAL = auto()
    BAR = auto()
    PAPER = auto()
    FINDING = auto()


LEFT = (_Column.MODEL, _Column.JUDGE, _Column.BAR, _Column.FINDING)

_Row = dict[_Column, Text]

_Entry = tuple[Table, GapResult]
"""A table and its primary comparison."""


def _model_name(table: Table) -> str:
    return one_line(f"{table.setting.name}{f', {table.tag}' if table.tag else ''}")


def _judge_name(table: Table) -> str:
    return one_line(table.judge.name) if table.judge else "–"


NAMES = {_Column.MODEL: _model_name, _Column.JUDGE: _judge_name}
"""Columns with names, which are shortened if space is short."""


class Overview(NamedTuple):
    """Content of the overview.

    Attributes:
        tables: index in the summary of the table in each row.
        legend: meaning of †, and how the paper's gaps are counted, without a full stop.
    """

    content: TableContent = TableContent()
    tables: tuple[int, ...] = ()
    legend: str = ""


def make_overview(tables: Sequence[Table], width: int, colours: Palette) -> Overview:
    """Return one row per table with a primary comparison, largest gap first.

    The overview is empty for fewer than two of them. Temperature and judge are columns if they
    differ. `width` is that of the screen in columns: if it is too small for all of them, names are
    shortened, the paper's gap is left out, and the finding is beside the points.
    """
    primaries = [(i, table, table.primary) for i, table in enumerate(tables) if table.primary]
    if len(primaries) < 2:
        return Overview()
    order = sorted(primaries, key=lambda entry: _sort_key(entry[2]))
    titles = {pair_title(result) for _, _, result in order}
    heads = {
        _Column.MODEL: "model",
        _Column.TEMPERATURE: "temperature",
        _Column.JUDGE: "judge",
        _Column.POINTS: titles.pop() if len(titles) == 1 else "points",
        _Column.INTERVAL: interval_heading(result for _, _, result in order),
        _Column.BAR: "-100┈┈┈┈┈┈┈┈0┈┈┈┈┈┈┈┈+100",
        _Column.PAPER: "paper",
        _Column.FINDING: "finding",
    }
    unneeded = {
        _Column.TEMPERATURE: len({t.setting.temperature for _, t, _ in order}) < 2,
        _Column.JUDGE: len({t.judge for _, t, _ in order}) < 2,
        _Column.BAR: width < MIN_BAR_SCREEN,
    }
    columns = [column for column in _Column if not unneeded.get(column)]
    entries = [(table, result) for _, table, result in order]
    content = _fitted(heads, entries, columns, width - EDGES, colours=colours)
    has_paper = any(head.plain == heads[_Column.PAPER] for head in content.heads)
    legend = [shared_legend(result for _, result in entries), *_paper_legend(entries)[:has_paper]]
    return Overview(content, tuple(index for index, _, _ in order), ". ".join(filter(None, legend)))


def _paper_legend(entries: Sequence[_Entry]) -> list[str]:
    """Return how the paper's gaps are counted, if a table has one, as a list of one text."""
    words = [paper_words("gap", table) for table, _ in entries if paper_rates(table)]
    return [f"paper: {max(words, key=len)}"] if words else []


def _fitted(
    heads: Mapping[_Column, str],
    entries: Sequence[_Entry],
    columns: Sequence[_Column],
    width: int,
    *,
    colours: Palette,
) -> TableContent:
    """Return the content in `width` columns, if shorter names or fewer columns make it fit."""
    rooms: dict[_Column, int] = {}
    rows = _rows(entries, rooms, colours)
    content = _content(heads, rows, columns)
    for column, name_of in NAMES.items():
        if column in columns and content.width > width:
            longest = max(cell_len(name_of(table)) for table, _ in entries)
            rooms[column] = max(MIN_NAME, longest - (content.width - width))
            rows = _rows(entries, rooms, colours)
            content = _content(heads, rows, columns)
    if content.width > width:
        rest = [c for c in columns if c not in (_Column.PAPER, _Column.FINDING)]
        place = rest.index(_Column.POINTS) + 1
        content = _content(heads, rows, [*rest[:place], _Column.FINDING, *rest[place:]])
    return content


def _rows(entries: Sequence[_Entry], rooms: Mapping[_Column, int], colours: Palette) -> list[_Row]:
    """Return the rows; names have the columns in `rooms`, if any, and stay apart."""
    shown = {
        column: {
            name: shorten_apart(name, names, rooms[column]) if column in rooms else name
            for name in names
        }
        for column, name_of in NAMES.items()
        for names in [{name_of(table) for table, _ in entries}]
    }
    return [
        _row(table, result, colours)
        | {
            _Column.MODEL: Text(marked(result, shown[_Column.MODEL][_model_name(table)]), "bold"),
            _Column.JUDGE: Text(shown[_Column.JUDGE][_judge_name(table)]),
        }
        for table, result in entries
    ]


def _content(
    heads: Mapping[_Column, str], rows: Sequence[_Row], columns: Sequence[_Column]
) -> TableContent:
    left = [i for i, column in enumerate(columns) if column in LEFT]
    cells = [[row[column] for column in columns] for row in rows]
    return make_content([heads[column] for column in columns], cells, left)


def _sort_key(result: GapResult) -> float:
    points = result.gap.points
    return float("inf") if points is None else -points


def _row(table: Table, result: GapResult, colours: Palette) -> _Row:
    """Return the cells without names."""
    points, interval, _ = gap_columns(result)
    paper: Mapping[str, Rate] = paper_rates(table)
    published = paper_gap(paper, result.gap.first, result.gap.second)
    is_withdrawn = result.finding.is_withdrawn
    own = table.judge_words if result.finding is Finding.WITHHELD else ""
    return {
        _Column.TEMPERATURE: Text(f"{table.setting.temperature:g}"),
        _Column.POINTS: Text(points, colours.quiet if is_withdrawn else f"bold {colours.blue}"),
        _Column.INTERVAL: Text(interval, colours.quiet),
        _Column.BAR: _bar(result, colours),
        _Column.PAPER: Text(f"{published.value:+.1f}" if published else "–", colours.quiet),
        _Column.FINDING: Text(own or str(result.finding), colours.warning if is_withdrawn else ""),
    }


def _bar(result: GapResult, colours: Palette) -> Text:
    gap, test = result.gap, result.test
    if gap.points is None or test.low is None or test.high is None:
        return Text("")
    return interval_bar(
        gap.points,
        (test.low, test.high),
        GAP_AXIS,
        BAR_WIDTH,
        style=f"bold {colours.blue}",
        axis_style=colours.faint,
    )
