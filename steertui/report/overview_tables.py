"""Overview of several tables for a terminal: primary comparisons, and comparisons over tables."""

from collections.abc import Iterator, Sequence

from steertui.analysis.formatting import (
    MARK_WORDS,
    MARKS,
    comparison_columns,
    gap_columns,
    interval_legend,
    mark_legend,
    marked,
    pair_title,
)
from steertui.analysis.model_series import (
    SERIES_COLUMNS,
    ModelSeries,
    series_notes,
    series_rows,
)
from steertui.analysis.overview import PairOverview, pair_overviews
from steertui.analysis.sentences import Finding
from steertui.analysis.stand_ins import without_stand_ins
from steertui.analysis.table import Table
from steertui.report.rich_tables import Parts, filled_grid, line_text
from steertui.units import quantity

MAX_LINES = 40
"""Maximum lines of one overview."""


def draw_primary(tables: Sequence[Table]) -> Parts:
    """Yield the primary comparison of each table, one line each."""
    results = [table.primary for table in tables if table.primary]
    titles = {pair_title(result) for result in results}
    what = titles.pop() if len(titles) == 1 else "each experiment's"
    yield line_text(f"Primary comparison: {what}", style="bold")
    columns = comparison_columns(results)
    rows = [
        (marked(r, _name(table, tables)), *gap_columns(r), str(r.gap.pairs))
        for table in tables[:MAX_LINES]
        if (r := table.primary)
    ]
    yield filled_grid("", columns, rows)
    legends = filter(None, (mark_legend(results), interval_legend(results)))
    yield line_text(f"{'. '.join(legends)}.")
    yield from _more(len(tables))


def draw_series(series: ModelSeries) -> Parts:
    """Yield models of several sizes, or stages of one training, with their sentences."""
    yield line_text(series.title, style="bold")
    rows = [*series_rows(series)]
    yield filled_grid("", SERIES_COLUMNS, rows[:MAX_LINES])
    yield from _more(len(rows))
    yield from (line_text(f"{sentence}.") for sentence in series_notes(series))
    yield line_text()


def draw_pairs(tables: Sequence[Table]) -> Parts:
    """Yield every comparison over all tables: in how many tables the test shows what."""
    tables = without_stand_ins(tables)
    overviews = [*pair_overviews(tables)]
    if not overviews:
        return
    title = (
        f"Comparisons over {quantity(len(tables), 'table')}: number of tables by finding, each "
        "tested by itself"
    )
    yield line_text(title, style="bold")
    found = [f for f in Finding if any(f in overview.findings for overview in overviews)]
    columns = (*(MARKS[f] for f in found), "points from", "to")
    yield filled_grid("", columns, _pair_rows(overviews[:MAX_LINES], found))
    yield line_text(f"{', '.join(f'{MARKS[f]} {MARK_WORDS[f]}' for f in found)}.")
    yield from _more(len(overviews))


def _pair_rows(
    overviews: Sequence[PairOverview], found: Sequence[Finding]
) -> Iterator[tuple[str, ...]]:
    for overview in overviews:
        counts = (str(overview.findings.get(f, 0) or "") for f in found)
        points = ("–" if p is None else f"{p:+.1f}" for p in (overview.low, overview.high))
        yield (" − ".join(overview.pair), *counts, *points)


def _more(number: int) -> Parts:
    if number > MAX_LINES:
        yield line_text(f"{number - MAX_LINES} more lines in the detailed report")


def _name(table: Table, tables: Sequence[Table]) -> str:
    """Return the model's name, with temperature, judge and tag where the tables differ in them."""
    name = table.setting.name
    if len({other.setting.temperature for other in tables}) > 1:
        name = f"{name} at {table.setting.temperature:g}"
    if len({other.judge for other in tables}) > 1 and table.judge:
        name = f"{name}, {table.judge.name}"
    return f"{name}, {table.tag}" if table.tag else name
