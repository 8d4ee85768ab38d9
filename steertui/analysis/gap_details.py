"""Details of a gap in words: its sentence, its sensitivity, its matched odds ratio."""

from collections.abc import Iterator
from math import isinf

from steertui.analysis.sensitivity_words import (
    both_estimates,
    conclusion_reasons,
    sensitivity_text,
)
from steertui.analysis.sentences import Finding, GapResult
from steertui.analysis.table import Table

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
    if check is None or result.finding is Finding.WITHHELD:
        return ""
    title = f"{result.gap.first} − {result.gap.second}"
    return sensitivity_text(title, check, is_corrected=result.test.family.is_corrected)


def short_sensitivity(table: Table) -> Iterator[str]:
    """Yield sentences on what changes a table's gaps materially, for a short report.

    One on the primary comparison, and one that names the others with their reasons.
    """
    if table.primary and _is_material(table.primary):
        yield sensitivity_sentence(table.primary)
    others = [r for r in table.comparisons if r is not table.primary and _is_material(r)]
    if others:
        reasons = "; ".join(reason for result in others for reason in _reasons(result))
        yield f"Also material: {reasons}; see the detailed report"


def material_sensitivity(table: Table) -> Iterator[str]:
    """Yield the sensitivity of each comparison of which it changes gap or conclusion materially."""
    yield from map(sensitivity_sentence, filter(_is_material, table.comparisons))


def _is_material(result: GapResult) -> bool:
    is_concluded = result.finding is not Finding.WITHHELD
    return is_concluded and result.sensitivity is not None and result.sensitivity.is_material


def _reasons(result: GapResult) -> Iterator[str]:
    """Yield what changes a gap materially."""
    check, title = result.sensitivity, f"{result.gap.first} − {result.gap.second}"
    if check is None:
        return
    if check.pairs_differ:
        yield f"{title} is {both_estimates(check)}"
    yield from conclusion_reasons(title, check)
