"""A Summary as rich tables and sentences."""

from collections.abc import Iterator, Sequence

from rich.table import Table as Grid
from rich.text import Text

from steertui.agreement import agreement
from steertui.report.beside import Beside
from steertui.report.contrasts import Contrast, contrasts, judge_pairs
from steertui.report.summary import Summary
from steertui.report.table import Table
from steertui.report.words import (
    DEVIATION,
    NOTHING,
    agreement_sentence,
    deviation,
    limits,
    over_categories,
    percent,
    points,
    signed,
    title,
    unread,
)
from steertui.verdict import SIGNS

LABELS = "/".join(SIGNS.values())
"""The order in which a ledger's labels stand."""

Parts = Iterator[Grid | Text]


def draw(summary: Summary, *, detail: bool = False, paper: Sequence[Beside] = ()) -> Parts:
    """Yield the whole summary for a console; numbers of a stand-in are marked as such.

    `detail` adds each table's ledger and categories, and what compares the tables.
    """
    if not summary.tables:
        yield Text(NOTHING)
    for table in summary.tables:
        mark = " (demo: means nothing about real models)" if table.is_stand_in else ""
        yield Text(f"{title(table)}{mark}; rates in percent", style="bold")
        yield _rates(table)
        yield from _below(table)
        if detail:
            yield from _detail(table)
        yield Text()
    for contrast in contrasts(summary) if detail else ():
        yield from _contrast(contrast)
        yield Text()
    for arm, first, second, pairs in judge_pairs(summary) if detail else ():
        yield Text(f"{first} and {second} on {arm}", style="bold")
        yield Text(f"  {agreement_sentence(agreement(pairs))}.")
        yield Text()
    for beside in paper:
        yield from _beside(beside)
        yield Text()
    for notice in summary.notices:
        yield Text(f"! {notice}", style="bold yellow")


def _grid(first: str, *others: str) -> Grid:
    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column(first, no_wrap=True)
    for name in others:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def _add(grid: Grid, first: str, numbers: Sequence[str]) -> None:
    # A screen's own alignment would win over the column's.
    grid.add_row(Text(first), *(Text(n, justify="right") for n in numbers))


def _rates(table: Table) -> Grid:
    grid = _grid("condition", "n", "valid", "convergence", "95 % interval", "refusal", "nonsense")
    for row in table.rows:
        ledger, rate = row.ledger, row.convergence
        rates = percent(rate), limits(rate), percent(row.refusal), percent(row.nonsense)
        _add(grid, row.condition, (str(ledger.judged), str(ledger.valid), *rates))
    return grid


def _below(table: Table) -> Iterator[Text]:
    if table.judge is None:
        yield Text(unread(table))
        return
    for place, comparison in enumerate(table.comparisons):
        g = comparison.gap
        head = f"gap {g.first} − {g.second}: {points(g)}"
        yield Text(head, style="bold" if place == 0 else "")
        yield Text(f"  {comparison.sentence}.")
    for warning in table.warnings:
        yield Text(f"! {warning}", style="yellow")


def _detail(table: Table) -> Parts:
    ledger = _grid("trials", "planned", "answered", "cut off", "judged", "failed", "unread", LABELS)
    for row in table.rows:
        n = row.ledger
        counts = n.planned, n.generated, n.truncated, n.judged, n.failed, n.unread
        labels = n.convergence, n.no_convergence, n.safety_refusal, n.nonsensical
        _add(ledger, row.condition, [*map(str, counts), "/".join(map(str, labels))])
    yield ledger
    categories = table.categories if table.judge else ()
    if len(categories) < 2:
        return
    grid = _grid("by category", *table.conditions, "gap", "95 % interval", "p (Holm)")
    for category in categories:
        rates = [percent(row.convergence) for row in category.rows]
        _add(grid, category.name, [*rates, *signed(category.comparison)])
    yield grid
    said = over_categories(table)
    if said:
        yield Text(f"{said}.")


def _contrast(contrast: Contrast) -> Parts:
    yield Text(contrast.title, style="bold")
    for line in contrast.lines:
        yield Text(f"  {line.comparison.sentence}.")


def _beside(beside: Beside) -> Parts:
    yield Text(f"{beside.title}, beside the paper's {beside.model}", style="bold")
    grid = _grid("", *DEVIATION)
    for found in beside.deviations:
        first, *values = deviation(found)
        _add(grid, first, values)
    yield grid
    yield from (Text(f"  {said}.") for said in beside.setup)
