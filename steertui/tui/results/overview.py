"""Overview of an experiment's tables: the primary comparison of each model, temperature and judge.

A forest plot in a table, sorted by gap: points, interval, bar, the paper's gap and the finding.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.text import Text

from steertui.analysis.formatting import gap_columns, interval_heading, marked, pair_title
from steertui.analysis.sentences import Finding, GapResult
from steertui.analysis.table import Table
from steertui.printable import one_line
from steertui.report.figures import paper_rates
from steertui.stats.rate import Rate
from steertui.tui.results.rates import GAP_AXIS, paper_gap
from steertui.tui.widgets.bars import interval_bar
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.stable_table import TableContent, make_content

MIN_BAR_SCREEN = 130
"""Columns of the screen from which the overview has bars."""

BAR_WIDTH = 25

LEFT_COLUMNS = (0, 2, 5, 7)


class Overview(NamedTuple):
    """Content of the overview.

    Attributes:
        tables: index in the summary of the table in each row.
    """

    content: TableContent = TableContent()
    tables: tuple[int, ...] = ()


def make_overview(tables: Sequence[Table], width: int, colours: Palette) -> Overview:
    """Return one row per table with a primary comparison, largest gap first.

    The overview is empty for fewer than two of them. Temperature and judge are columns if they
    differ. `width` is that of the screen in columns.
    """
    primaries = [(i, table, table.primary) for i, table in enumerate(tables) if table.primary]
    if len(primaries) < 2:
        return Overview()
    order = sorted(primaries, key=lambda entry: _sort_key(entry[2]))
    titles = {pair_title(result) for _, _, result in order}
    heads = [
        "model",
        "temperature" if len({t.setting.temperature for _, t, _ in order}) > 1 else "",
        "judge" if len({t.judge for _, t, _ in order}) > 1 else "",
        titles.pop() if len(titles) == 1 else "points",
        interval_heading(result for _, _, result in order),
        "-100┈┈┈┈┈┈┈┈0┈┈┈┈┈┈┈┈+100" if width >= MIN_BAR_SCREEN else "",
        "paper",
        "finding",
    ]
    rows = [_row(table, result, width, colours) for _, table, result in order]
    kept = [i for i, head in enumerate(heads) if head]
    left = [kept.index(i) for i in LEFT_COLUMNS if i in kept]
    content = make_content([heads[i] for i in kept], [[row[i] for i in kept] for row in rows], left)
    return Overview(content, tuple(index for index, _, _ in order))


def _sort_key(result: GapResult) -> float:
    points = result.gap.points
    return float("inf") if points is None else -points


def _row(table: Table, result: GapResult, width: int, colours: Palette) -> list[str | Text]:
    points, interval, _ = gap_columns(result)
    paper: Mapping[str, Rate] = paper_rates(table)
    published = paper_gap(paper, result.gap.first, result.gap.second)
    is_withdrawn = result.finding.is_withdrawn
    own = table.judge_words if result.finding is Finding.WITHHELD else ""
    name = f"{one_line(table.setting.name)}{f', {table.tag}' if table.tag else ''}"
    return [
        Text(marked(result, name), "bold"),
        f"{table.setting.temperature:g}",
        one_line(table.judge.name) if table.judge else "–",
        Text(points, colours.quiet if is_withdrawn else f"bold {colours.blue}"),
        Text(interval, colours.quiet),
        _bar(result, colours) if width >= MIN_BAR_SCREEN else "",
        Text(f"{published.value:+.1f}" if published else "–", colours.quiet),
        Text(own or str(result.finding), colours.warning if is_withdrawn else ""),
    ]


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
