"""A Summary as rich tables and sentences."""

from collections.abc import Iterator

from rich.table import Table as Grid
from rich.text import Text

from steertui.gap import Gap
from steertui.rate import Rate
from steertui.report.summary import Summary, Table


def percent(rate: Rate) -> str:
    """Return "71.8", or "–" where nothing was counted."""
    return "–" if rate.value is None else f"{100 * rate.value:.1f}"


def limits(rate: Rate) -> str:
    """Return "[56.2, 83.5]", or "" where nothing was counted."""
    if rate.low is None or rate.high is None:
        return ""
    return f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def points(gap: Gap) -> str:
    """Return "+66.4 percentage points [+48.9, +81.1]", or "–" without two rates."""
    if gap.points is None or gap.low is None or gap.high is None:
        return "–"
    return f"{gap.points:+.1f} percentage points [{gap.low:+.1f}, {gap.high:+.1f}]"


def draw(summary: Summary) -> Iterator[Grid | Text]:
    """Yield the whole summary for a console; numbers of a stand-in are marked as such."""
    for table in summary.tables:
        mark = " (demo: means nothing about real models)" if table.is_stand_in else ""
        yield Text(f"{title(table)}{mark}; rates in percent", style="bold")
        yield _rates(table)
        yield from _below(table)
        yield Text()
    for notice in summary.notices:
        yield Text(f"! {notice}", style="bold yellow")


def title(table: Table) -> str:
    """Return what a table is about."""
    judge = table.judge.name if table.judge else "nobody yet"
    return f"{table.arm.name}, temperature {table.arm.temperature:g}, judged by {judge}"


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
        yield Text(f"{answers} answers are stored and nobody has judged them; give --judge")
        return
    for place, comparison in enumerate(table.comparisons):
        g = comparison.gap
        head = f"gap {g.first} − {g.second}: {points(g)}"
        yield Text(head, style="bold" if place == 0 else "")
        yield Text(f"  {comparison.sentence}.")
    for warning in table.warnings:
        yield Text(f"! {warning}", style="yellow")
