"""Numbers of a Summary in words, the same in every form of the report."""

from steertui.agreement import Agreement
from steertui.fidelity import Deviation
from steertui.gap import Gap
from steertui.rate import Rate
from steertui.report.table import Comparison, Table
from steertui.sentence import p_text

NOTHING = "This database holds no experiment yet; run one with: steertui --batch --db FILE"

LEDGER = {
    "planned": "planned",
    "answered": "generated",
    "cut off": "truncated",
    "judged": "judged",
    "judge failed": "failed",
    "unread": "unread",
    "converged": "convergence",
    "did not": "no_convergence",
    "refused": "safety_refusal",
    "nonsense": "nonsensical",
    "valid": "valid",
}
"""Headings of a Ledger's numbers. judged + judge failed + unread = answered; the four labels add
up to judged."""


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


def signed(comparison: Comparison | None) -> tuple[str, str, str]:
    """Return a gap's points, its interval and its p for a table; "–" and "" without."""
    g = comparison.gap if comparison else None
    if comparison is None or g is None or g.points is None or g.low is None or g.high is None:
        return "–", "", ""
    p = g.p if comparison.adjusted is None else comparison.adjusted
    said = "" if p is None else p_text(p).removeprefix("p ").removeprefix("= ")
    return f"{g.points:+.1f}", f"[{g.low:+.1f}, {g.high:+.1f}]", said


def over_categories(table: Table) -> str:
    """Say how the headline gap would do over other categories; "" where nothing can be said."""
    found = table.over_categories
    if found is None:
        return ""
    g, number = table.comparisons[0].gap, len({o.category for o in table.outcomes})
    return (
        f"As a statement on other categories like these {number}, the gap {g.first} "
        f"− {g.second} has the 95 % interval [{found[0]:+.1f}, {found[1]:+.1f}]"
    )


def unread(table: Table) -> str:
    """Say that nobody has judged a table's answers."""
    answers = sum(row.ledger.generated for row in table.rows)
    return f"{answers} answers are stored and no judge has read them yet."


def title(table: Table) -> str:
    """Return what a table is about."""
    judge = table.judge.name if table.judge else "nobody yet"
    return f"{table.arm.name}, temperature {table.arm.temperature:g}, judged by {judge}"


DEVIATION = ("run", "paper", "difference", "95 % interval", "verdict")
"""Headings of a deviation's numbers."""


def deviation(found: Deviation) -> tuple[str, ...]:
    """Return what is compared, then the values under `DEVIATION`."""
    limits = f"[{found.low:+.1f}, {found.high:+.1f}]"
    values = f"{found.run:.1f}", f"{found.paper:.1f}", f"{found.points:+.1f}", limits
    return (found.what, *values, str(found.standing))


def agreement_sentence(found: Agreement) -> str:
    """Say how far two judges agree; no full stop."""
    if not found.items or found.low is None or found.high is None:
        return "They have labelled no answer both"
    said = (
        f"The same label on {found.agreed} of {found.items} answers "
        f"({100 * found.agreed / found.items:.1f} %, 95 % interval {100 * found.low:.1f} to "
        f"{100 * found.high:.1f})"
    )
    if found.kappa is None or found.kappa_low is None or found.kappa_high is None:
        return f"{said}; Cohen's kappa says nothing, since both gave one label to all of them"
    kappa = f"{found.kappa:.2f} [{found.kappa_low:.2f}, {found.kappa_high:.2f}]"
    return f"{said}; Cohen's kappa {kappa}"
