"""Numbers of a summary as text, the same in every report format."""

from collections.abc import Iterable, Sequence

from steertui.analysis.interval_text import interval_cell, level_text, set_limits_legend
from steertui.analysis.sentences import Finding, GapResult, p_text
from steertui.analysis.table import RateRow, Table
from steertui.analysis.warnings import MIN_COVERAGE
from steertui.stats.agreement import Agreement
from steertui.stats.families import Family
from steertui.stats.rate import Policy, Rate
from steertui.stats.simultaneous import MIN_PAIRS
from steertui.units import quantity

NO_EXPERIMENT = "This database has no experiment; run one with: steertui --batch --db FILE"

POLICY_DESCRIPTIONS = {
    Policy.PAPER: "Converging answers among the valid ones: nonsensical answers are excluded, as "
    "in the paper",
    Policy.ALL: "Converging answers among all judged ones, nonsensical answers and refusals "
    "included",
    Policy.EXCLUDE_REFUSALS: "Converging answers among those that are neither nonsensical nor "
    "refusals; refusals among those that are not nonsensical",
}
"""Denominator of a convergence rate, by policy."""

COUNTS = {
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
}
"""Column heading to attribute of `TrialCounts`. judged + judge failed + unjudged = answered; the
four labels add up to judged."""

COUNT_COLUMNS = (*COUNTS, "valid")
"""Column headings of `count_row`, after the condition."""


def count_row(row: RateRow) -> tuple[str, ...]:
    """Return the condition and the values for `COUNT_COLUMNS`."""
    counts = (count_text(getattr(row.counts, name)) for name in COUNTS.values())
    return row.condition, *counts, str(row.valid)


def count_text(count: int | None) -> str:
    """Return a count, "–" if it is unknown."""
    return "–" if count is None else str(count)


def rate_percent(rate: Rate) -> str:
    """Return a rate in per cent such as "71.8", "–" without items."""
    return "–" if rate.value is None else f"{100 * rate.value:.1f}"


def marked_rate(row: RateRow) -> str:
    """Return the convergence rate, with `*` if the coverage is low."""
    return rate_percent(row.convergence) + ("*" if is_marked(row) else "")


MARK_LEGEND = f"* fewer than {100 * MIN_COVERAGE:.0f} % of the planned trials are judged"
"""Explanation of the mark of a convergence rate."""


def is_marked(row: RateRow) -> bool:
    """Whether the convergence rate is marked `*`: low coverage and at least one judged trial."""
    return row.is_low_coverage and row.counts.judged > 0


def rate_interval(rate: Rate) -> str:
    """Return the 95 % interval such as "[56.2, 83.5]", "" without items."""
    if rate.estimate is None:
        return ""
    _, low, high = rate.estimate.percent()
    return f"[{low:.1f}, {high:.1f}]"


RATE_COLUMNS = ("n", "valid", "convergence", "95 % interval", "refusal", "nonsense")
"""Column headings of `rate_row`, after the condition; rates in percent."""


def rate_row(row: RateRow) -> tuple[str, ...]:
    """Return the condition and the values for `RATE_COLUMNS`."""
    return (
        row.condition,
        str(row.counts.judged),
        str(row.valid),
        marked_rate(row),
        rate_interval(row.convergence),
        rate_percent(row.refusal),
        rate_percent(row.nonsense),
    )


MARKS = {
    Finding.MORE: "▲",
    Finding.FEWER: "▼",
    Finding.UNDIRECTED: "◆",
    Finding.EQUIVALENT: "≈",
    Finding.NOT_SHOWN: "·",
    Finding.UNTESTED: "–",
    Finding.CONTESTED: "≠",
    Finding.WITHHELD: "×",
}
"""One character by finding."""

SHARED_MARK = "†"
"""Mark of a gap that is not the difference of the printed rates."""

MARK_WORDS = {
    Finding.MORE: "answers converge more often under the first",
    Finding.FEWER: "answers converge less often under the first",
    Finding.UNDIRECTED: "a difference without a shown direction",
    Finding.EQUIVALENT: "equivalence within the margin is shown, no difference is",
    Finding.NOT_SHOWN: "no difference is shown",
    Finding.UNTESTED: "no test",
    Finding.CONTESTED: (
        "no finding, because another judge leads to another conclusion (both judges show a "
        "difference, in opposite directions, or only one does, and its gap is outside the other's "
        "interval)"
    ),
    Finding.WITHHELD: "the labels allow no conclusion",
}
"""Meaning of the marks."""


def mark_legend(results: Iterable[GapResult]) -> str:
    """Return the meaning of the marks that occur, without a full stop."""
    shown = [*results]
    found = {result.finding for result in shown}
    words = [f"{MARKS[f]} {MARK_WORDS[f]}" for f in Finding if f in found]
    return ", ".join(filter(None, (*words, shared_legend(shown))))


def shared_legend(results: Iterable[GapResult]) -> str:
    """Return the meaning of `SHARED_MARK`, "" if it does not occur."""
    if not any(result.is_shared for result in results):
        return ""
    return f"{SHARED_MARK} gap over the scenarios valid under both, rates over all"


def marked(result: GapResult, name: str) -> str:
    """Return a name with the mark of the finding, and † if the gap is over shared scenarios."""
    return f"{MARKS[result.finding]} {name}{SHARED_MARK * result.is_shared}"


def pair_title(result: GapResult) -> str:
    """Return "pro − anti"."""
    return f"{result.gap.first} − {result.gap.second}"


def comparison_columns(results: Sequence[GapResult]) -> tuple[str, ...]:
    """Return the headings of `comparison_row`, after the name."""
    return "points", interval_heading(results), "p", "pairs"


def interval_heading(results: Iterable[GapResult]) -> str:
    """Return "95 % interval", or "interval" if the levels differ."""
    levels = {level_text(result.test.level) for result in results}
    return f"{levels.pop()} interval" if len(levels) == 1 else "interval"


def comparison_row(result: GapResult) -> tuple[str, ...]:
    """Return mark and name of a comparison, and the values for `comparison_columns`."""
    return (marked(result, pair_title(result)), *gap_columns(result), str(result.gap.pairs))


def family_words(result: GapResult) -> str:
    """Return role of a comparison and Holm's number of tests, such as "secondary, Holm 5"."""
    family = result.test.family
    holm = f", Holm {family.tests}" if family.is_corrected else ""
    return f"{family.role}{holm}"


def comparison_legend(results: Sequence[GapResult]) -> str:
    """Return the meaning of the marks, and the levels of the intervals if they differ."""
    families = {result.test.family: result.test.level for result in results}
    legend = ". ".join(filter(None, (mark_legend(results), interval_legend(results))))
    if not any(family.is_corrected for family in families):
        return legend
    levels = [_level_words(family, level) for family, level in families.items()]
    once = "so that those of each family hold at once with about 95 %"
    return f"{legend}. Intervals: {', '.join(levels)}, {once}"


def _level_words(family: Family, level: float) -> str:
    if not family.is_corrected:
        return f"that of the {family.role} comparison is at {level_text(level)}"
    return f"those of the {family.tests} {family.words} are at {level_text(level)} each"


def interval_legend(results: Sequence[GapResult]) -> str:
    """Return the meaning of set limits and of missing intervals, "" without any."""
    is_missing = any(r.gap.points is not None and r.test.low is None for r in results)
    missing = f"–: no interval with fewer than {MIN_PAIRS} pairs" if is_missing else ""
    limits = set_limits_legend(result.test for result in results)
    return ". ".join(filter(None, (limits, missing)))


def gap_columns(result: GapResult | None) -> tuple[str, str, str]:
    """Return points, interval and p value of a gap; ("–", "", "") without a gap."""
    if result is None or result.gap.points is None:
        return "–", "", ""
    test = result.test
    p = "" if test.p is None else p_value_text(test.p)
    return f"{result.gap.points:+.1f}", interval_cell(test), p


def p_value_text(p: float) -> str:
    """Return "0.0075" or "< 0.001"."""
    return p_text(p).removeprefix("p ").removeprefix("= ")


def over_categories_sentence(table: Table) -> str:
    """Return a sentence on the headline gap's between-category interval, "" without one."""
    limits = table.over_categories
    if limits is None or table.primary is None:
        return ""
    gap = table.primary.gap
    return (
        f"Generalised to other categories like the {limits.categories} with pairs, the gap "
        f"{gap.first} − {gap.second} has the 95 % interval [{limits.low:+.1f}, {limits.high:+.1f}]"
    )


def unjudged_sentence(table: Table) -> str:
    """Return a sentence on a table without a judge."""
    answers = sum(row.counts.generated for row in table.rows)
    if not answers:
        return "There are no answers yet."
    be, them = ("is", "it") if answers == 1 else ("are", "them")
    return f"{quantity(answers, 'answer')} {be} stored and no judge has labelled {them}."


def transitions_note(table: Table) -> str:
    """Return how label transitions pair several samples, without a full stop; "" for one."""
    if not any(outcome.sample for outcome in table.outcomes):
        return ""
    return (
        "Label transitions pair sample 1 with sample 1 of the same scenario, 2 with 2 and so on; "
        "samples are drawn independently, so this pairing is arbitrary"
    )


def table_title(table: Table) -> str:
    """Return model, temperature, judge and tag of a table."""
    judge = f"judged by {table.judge.name}" if table.judge else "not judged"
    tag = f", {table.tag}" if table.tag else ""
    return f"{table.setting.name}, temperature {table.setting.temperature:g}, {judge}{tag}"


def stand_in_note(table: Table) -> str:
    """Return "demo: means nothing about real models"; "" for a table without the demo model."""
    return "demo: means nothing about real models" if table.is_stand_in else ""


def kappa_columns(agreement: Agreement) -> tuple[str, str]:
    """Return Cohen's kappa and its 95 % interval; ("–", "") if it is not defined."""
    if agreement.kappa is None or agreement.kappa_low is None or agreement.kappa_high is None:
        return "–", ""
    interval = f"[{agreement.kappa_low:.2f}, {agreement.kappa_high:.2f}]"
    return f"{agreement.kappa:.2f}", interval


def percentage(count: float, total: float) -> str:
    """Return count / total in per cent such as "71.8", "–" if `total` is 0."""
    return f"{100 * count / total:.1f}" if total else "–"


def agreement_sentence(agreement: Agreement) -> str:
    """Return a sentence on the agreement of two judges, without a full stop."""
    if not agreement.items or agreement.low is None or agreement.high is None:
        return "No answer is labelled by both"
    sentence = (
        f"The same label on {agreement.agreed} of {agreement.items} answers "
        f"({percentage(agreement.agreed, agreement.items)} %, 95 % interval "
        f"{100 * agreement.low:.1f} to {100 * agreement.high:.1f})"
    )
    if agreement.items < MIN_PAIRS:
        return f"{sentence}; Cohen's kappa needs at least {MIN_PAIRS} answers"
    if agreement.kappa is None:
        return f"{sentence}; Cohen's kappa is not defined, because both gave one label to all"
    return f"{sentence}; Cohen's kappa {' '.join(kappa_columns(agreement))}"
