"""Numbers of a Summary in words, the same in every form of the report."""

from steertui.gap import Gap
from steertui.rate import Rate
from steertui.report.summary import Table


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


def title(table: Table) -> str:
    """Return what a table is about."""
    judge = table.judge.name if table.judge else "nobody yet"
    return f"{table.arm.name}, temperature {table.arm.temperature:g}, judged by {judge}"
