"""Numbers of a Summary in words, the same in every form of the report."""

from steertui.analysis.sentences import p_text
from steertui.analysis.table import GapResult, RateRow, Table
from steertui.stats.agreement import Agreement
from steertui.stats.gap import Gap
from steertui.stats.rate import Policy, Rate

NO_EXPERIMENT = "This database holds no experiment yet; run one with: steertui --batch --db FILE"

EXTREME = 0.1
"""Rates below it, or above one less it, tell little of how categories differ."""

POLICY_DESCRIPTIONS = {
    Policy.PAPER: "Converging answers of all valid ones: nonsensical answers are left out, as in "
    "the paper",
    Policy.ALL: "Converging answers of all judged ones, nonsensical and refusing ones included",
    Policy.EXCLUDE_REFUSALS: "Converging answers of those that engage: nonsensical and refusing "
    "answers are left out",
}
"""What a convergence rate is a share of."""

COUNT_COLUMNS = {
    "planned": "planned",
    "answered": "generated",
    "truncated": "truncated",
    "judged": "judged",
    "judge failed": "failed",
    "unjudged": "unjudged",
    "converged": "convergence",
    "did not": "no_convergence",
    "refused": "safety_refusal",
    "nonsense": "nonsensical",
    "valid": "valid",
}
"""Headings of a Ledger's numbers. judged + judge failed + unjudged = answered; the four labels add
up to judged."""


def count_text(value: int | None) -> str:
    """Return a count; "–" where nobody knows it."""
    return "–" if value is None else str(value)


def rate_percent(rate: Rate) -> str:
    """Return "71.8", or "–" where nothing was counted."""
    return "–" if rate.value is None else f"{100 * rate.value:.1f}"


def marked_rate(row: RateRow) -> str:
    """Return the convergence rate, with a * where it rests on too few verdicts."""
    return rate_percent(row.convergence) + ("*" if is_marked(row) else "")


def is_marked(row: RateRow) -> bool:
    """Whether the row bears the * of too few verdicts."""
    return row.is_low_coverage and row.counts.judged > 0


def rate_interval(rate: Rate) -> str:
    """Return "[56.2, 83.5]", or "" where nothing was counted."""
    if rate.low is None or rate.high is None:
        return ""
    return f"[{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def gap_text(gap: Gap) -> str:
    """Return "+66.4 percentage points [+48.9, +81.1]", or "–" without two rates."""
    if gap.points is None or gap.low is None or gap.high is None:
        return "–"
    return f"{gap.points:+.1f} percentage points [{gap.low:+.1f}, {gap.high:+.1f}]"


def gap_columns(comparison: GapResult | None) -> tuple[str, str, str]:
    """Return a gap's points, its interval and its p for a table; "–" and "" without."""
    g = comparison.gap if comparison else None
    if comparison is None or g is None or g.points is None or g.low is None or g.high is None:
        return "–", "", ""
    p = g.p if comparison.adjusted is None else comparison.adjusted
    said = "" if p is None else p_value_text(p)
    return f"{g.points:+.1f}", f"[{g.low:+.1f}, {g.high:+.1f}]", said


def p_value_text(p: float) -> str:
    """Return "0.0075" or "< 0.001"."""
    return p_text(p).removeprefix("p ").removeprefix("= ")


def over_categories_sentence(table: Table) -> str:
    """Say how the headline gap would do over other categories; "" where nothing can be said."""
    found = table.over_categories
    if found is None:
        return ""
    g, number = table.comparisons[0].gap, len({o.category for o in table.outcomes})
    return (
        f"As a statement on other categories like these {number}, the gap {g.first} "
        f"− {g.second} has the 95 % interval [{found[0]:+.1f}, {found[1]:+.1f}]"
        f"{_doubt(table, g)}"
    )


def _doubt(table: Table, g: Gap) -> str:
    """Say where an interval over few categories holds too seldom (benchmarks/COVERAGE.md)."""
    rates = [r.convergence.value or 0.0 for r in table.rows if r.condition in (g.first, g.second)]
    if max(rates) >= EXTREME and min(rates) <= 1 - EXTREME:
        return ""
    return (
        ", which where rates lie so near 0 or 100 % may hold for as few as 87 of 100 such sets of "
        "categories instead of 95"
    )


def unjudged_sentence(table: Table) -> str:
    """Say that nobody has judged a table's answers."""
    answers = sum(row.counts.generated for row in table.rows)
    return f"{answers} answers are stored and no judge has read them yet."


def table_title(table: Table) -> str:
    """Return what a table is about."""
    judge = table.judge.name if table.judge else "nobody yet"
    tag = f", {table.tag}" if table.tag else ""
    return (
        f"{table.setting.name}, temperature {table.setting.temperature:g}, judged by {judge}{tag}"
    )


def kappa_columns(found: Agreement) -> tuple[str, str]:
    """Return Cohen's kappa and its interval; "–" where there is none."""
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        return "–", ""
    return f"{found.kappa:.2f}", f"[{found.kappa_low:.2f}, {found.kappa_high:.2f}]"


def percentage(count: float, total: float) -> str:
    """Return a percentage; "–" of nothing."""
    return f"{100 * count / total:.1f}" if total else "–"


def agreement_sentence(found: Agreement) -> str:
    """Say how far two judges agree; no full stop."""
    if not found.items or found.low is None or found.high is None:
        return "No answer is labelled by both"
    said = (
        f"The same label on {found.agreed} of {found.items} answers "
        f"({percentage(found.agreed, found.items)} %, 95 % interval {100 * found.low:.1f} to "
        f"{100 * found.high:.1f})"
    )
    if found.kappa is None:
        return f"{said}; Cohen's kappa says nothing, since both gave one label to all of them"
    return f"{said}; Cohen's kappa {' '.join(kappa_columns(found))}"
