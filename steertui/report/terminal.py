"""A Summary as rich tables and sentences."""

from collections.abc import Iterator

from rich.table import Table as Grid
from rich.text import Text

from steertui.report.summary import Summary, Table
from steertui.report.words import limits, percent, points, title

Parts = Iterator[Grid | Text]


def draw(summary: Summary) -> Parts:
    """Yield the whole summary for a console; numbers of a stand-in are marked as such."""
    for table in summary.tables:
        mark = " (demo: means nothing about real models)" if table.is_stand_in else ""
        yield Text(f"{title(table)}{mark}; rates in percent", style="bold")
        yield _rates(table)
        yield from _below(table)
        yield Text()
    for notice in summary.notices:
        yield Text(f"! {notice}", style="bold yellow")


def _rates(table: Table) -> Grid:
    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("condition", no_wrap=True)
    for name in ("n", "valid", "convergence", "95 % interval", "refusal", "nonsense"):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in table.rows:
        ledger, rate = row.ledger, row.convergence
        rates = percent(rate), limits(rate), percent(row.refusal), percent(row.nonsense)
        numbers = str(ledger.judged), str(ledger.valid), *rates
        # A screen's own alignment would win over the column's.
        grid.add_row(Text(row.condition), *(Text(n, justify="right") for n in numbers))
    return grid


def _below(table: Table) -> Iterator[Text]:
    if table.judge is None:
        answers = sum(row.ledger.generated for row in table.rows)
        yield Text(f"{answers} answers are stored and no judge has read them yet.")
        return
    for place, comparison in enumerate(table.comparisons):
        g = comparison.gap
        head = f"gap {g.first} − {g.second}: {points(g)}"
        yield Text(head, style="bold" if place == 0 else "")
        yield Text(f"  {comparison.sentence}.")
    for warning in table.warnings:
        yield Text(f"! {warning}", style="yellow")
