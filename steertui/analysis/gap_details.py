"""Details of a gap in words: its sentence, its sensitivity, its matched odds ratio."""

from collections.abc import Iterator
from math import isinf

from steertui.analysis.sentences import Finding, GapResult, p_text
from steertui.analysis.table import Table
from steertui.stats.sensitivity import Sensitivity
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.units import quantity

LARGE_RATIO = 100
"""Odds ratios from this one on are shown without decimals."""


def detail_sentences(result: GapResult) -> Iterator[str]:
    """Yield all sentences on a comparison, without full stops."""
    yield result.sentence
    yield from filter(None, (sensitivity_sentence(result), odds_ratio_sentence(result)))


def odds_ratio_sentence(result: GapResult) -> str:
    """Return a sentence on the matched odds ratio of two conditions, without a full stop.

    Return "" for comparisons of tables, with several samples per scenario, if nothing is concluded
    from the labels, or without a scenario that converges under one condition only.
    """
    ratio = result.odds_ratio
    gap = result.gap
    if ratio is None or result.finding is Finding.WITHHELD:
        return ""
    single = ", not corrected for the family" if result.test.family.is_corrected else ""
    return (
        f"Matched odds ratio of {gap.first} to {gap.second}: {_ratio(ratio.value)} (95 % interval "
        f"{_ratio(ratio.low)} to {_ratio(ratio.high)}, exact{single})"
    )


def _ratio(value: float) -> str:
    if isinf(value):
        return "infinite"
    return f"{value:,.0f}" if value >= LARGE_RATIO else f"{value:.3g}"


def sensitivity_sentence(result: GapResult) -> str:
    """Return one sentence on a gap under other choices, without a full stop.

    Return "" if they are not measured, or nothing is concluded from the labels.
    """
    check = result.sensitivity
    if result.finding is Finding.WITHHELD:
        return ""
    if check is None or check.marginal.points is None or check.shared.points is None:
        return ""
    gap = result.gap
    parts = [
        _both_estimates(check),
        *_policies(result, check),
        *_bounds(check),
    ]
    return f"Sensitivity of {gap.first} − {gap.second}: {'; '.join(parts)}"


def short_sensitivity(table: Table) -> Iterator[str]:
    """Yield sentences on what changes a table's gaps materially, for a short report.

    One on the primary comparison, and one that names the others with their reasons.
    """
    if table.primary and _is_material(table.primary):
        yield sensitivity_sentence(table.primary)
    others = [r for r in table.comparisons if r is not table.primary and _is_material(r)]
    if others:
        reasons = "; ".join(reason for result in others for reason in _reasons(result))
        yield f"Also material: {reasons}; see steertui report --detail"


def _is_material(result: GapResult) -> bool:
    is_concluded = result.finding is not Finding.WITHHELD
    return is_concluded and result.sensitivity is not None and result.sensitivity.is_material


def _reasons(result: GapResult) -> Iterator[str]:
    """Yield what changes a gap materially."""
    check, title = result.sensitivity, f"{result.gap.first} − {result.gap.second}"
    if check is None:
        return
    if check.pairs_differ:
        yield f"{title} is {_both_estimates(check)}"
    if check.policies_differ:
        yield f"whether {title} is shown depends on --policy"
    if check.nonsense_may_explain:
        yield f"the labels of nonsensical answers may explain {title}"


def _both_estimates(check: Sensitivity) -> str:
    """Return "+38.7 points over all valid answers of each condition, +54.5 over …"."""
    marginal, shared = (
        "unknown" if gap.points is None else f"{gap.points:+.1f}"
        for gap in (check.marginal, check.shared)
    )
    return (
        f"{marginal} points over all valid answers of each condition, {shared} over the "
        f"{quantity(check.shared.pairs, 'scenario')} valid under both"
    )


def _policies(result: GapResult, check: Sensitivity) -> Iterator[str]:
    for policy, gap in check.policies.items():
        if gap != check.marginal and gap.points is not None:
            verdict = _other_verdict(result, check, check.p_values[policy])
            yield f"{gap.points:+.1f} with --policy {policy}{verdict}"


def _other_verdict(result: GapResult, check: Sensitivity, other: float | None) -> str:
    """Return the p value if the exact test decides otherwise, "" if it does not."""
    if check.p is None or other is None:
        return ""
    if (check.p <= SIGNIFICANCE_LEVEL) == (other <= SIGNIFICANCE_LEVEL):
        return ""
    holm = " after Holm" if result.test.family.is_corrected else ""
    return f" ({p_text(other)} instead of {p_text(check.p).removeprefix('p ').lstrip('= ')}{holm})"


def _bounds(check: Sensitivity) -> Iterator[str]:
    worst = check.worst_case
    if worst is None or worst.lowest == worst.highest or check.marginal.points is None:
        return
    sentence = (
        f"the {check.marginal.points:+.1f} would be {worst.lowest:+.1f} to {worst.highest:+.1f} if "
        "the nonsensical answers had had any other label"
    )
    yield f"{sentence}, so they may explain it" if check.nonsense_may_explain else sentence
