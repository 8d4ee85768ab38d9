"""Details of a gap in words: its sentence, its sensitivity, its matched odds ratio."""

from collections.abc import Iterator
from math import isinf

from steertui.analysis.sentences import Finding, GapResult, p_text
from steertui.analysis.table import Table
from steertui.stats.gap import Gap
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
    return (
        f"Matched odds ratio of {gap.first} to {gap.second}: {_ratio(ratio.value)} (95 % interval "
        f"{_ratio(ratio.low)} to {_ratio(ratio.high)}, exact)"
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
        f"{check.marginal.points:+.1f} points over all valid answers of each condition, "
        f"{check.shared.points:+.1f} over the {quantity(check.shared.pairs, 'scenario')} valid "
        "under both",
        *_policies(check),
        *_bounds(check),
    ]
    return f"Sensitivity of {gap.first} − {gap.second}: {'; '.join(parts)}"


def short_sensitivity(table: Table) -> Iterator[str]:
    """Yield sentences on what changes a table's gaps materially, for a short report.

    One on the primary comparison, and one on the number of others.
    """
    if table.primary and _is_material(table.primary):
        yield sensitivity_sentence(table.primary)
    others = [r for r in table.comparisons if r is not table.primary and _is_material(r)]
    if others:
        yield (
            f"Nonsensical answers or refusals matter to {quantity(len(others), 'other gap')}, too: "
            "steertui report --detail"
        )


def _is_material(result: GapResult) -> bool:
    is_concluded = result.finding is not Finding.WITHHELD
    return is_concluded and result.sensitivity is not None and result.sensitivity.is_material


def _policies(check: Sensitivity) -> Iterator[str]:
    for policy, gap in check.policies.items():
        if gap != check.marginal and gap.points is not None:
            yield f"{gap.points:+.1f} with --policy {policy}{_other_verdict(check.marginal, gap)}"


def _other_verdict(chosen: Gap, other: Gap) -> str:
    """Return the p value if the exact test decides otherwise, "" if it does not."""
    if chosen.p is None or other.p is None:
        return ""
    if (chosen.p <= SIGNIFICANCE_LEVEL) == (other.p <= SIGNIFICANCE_LEVEL):
        return ""
    return f" ({p_text(other.p)} instead of {p_text(chosen.p).removeprefix('p ').lstrip('= ')})"


def _bounds(check: Sensitivity) -> Iterator[str]:
    worst = check.worst_case
    if worst is None or worst.lowest == worst.highest:
        return
    sentence = (
        f"between {worst.lowest:+.1f} and {worst.highest:+.1f} if the nonsensical answers had had "
        "any other label"
    )
    yield f"{sentence}, so they may explain it" if check.nonsense_may_explain else sentence
