"""Words for the estimates of dose axes and contests."""

from steertui.analysis.interval_text import interval_words
from steertui.analysis.sentences import p_text
from steertui.core.grouping import CoherenceLimits, DoseUnit
from steertui.stats.families import FamilyTest, untested
from steertui.stats.gap import Gap
from steertui.stats.rate import Rate
from steertui.stats.sensitivity import pairs_differ
from steertui.units import quantity

UNIT_WORDS = {
    DoseUnit.VECTOR: "strength of a control vector",
    DoseUnit.ABLATION: "strength of an ablation",
    DoseUnit.ADAPTER: "scale of an adapter",
    DoseUnit.LINES: "first lines of a suffix",
}
"""What the dose of an axis is."""

STEP_WORDS = {
    DoseUnit.VECTOR: "strength",
    DoseUnit.ABLATION: "strength",
    DoseUnit.ADAPTER: "scale",
    DoseUnit.LINES: "lines",
}
"""Noun of a step of a dose."""

CEILING = 0.9
"""Rate at the anchor above which a remark says how little an axis or an attack can add."""


def points_text(gap: Gap, test: FamilyTest | None = None) -> str:
    """Return "+22.5 points (95 % interval +5.0 to +40.1)", or that there is no valid answer.

    The interval is that of the gap's `test`; of a gap that is not tested, a single 95 % one. If the
    scenarios valid on both sides give materially other points, these follow.
    """
    if gap.points is None:
        return "unknown, since one side has no valid answer"
    size = f"{gap.points:+.1f} points ({interval_words(test or untested(gap))})"
    if gap.shared is None or not pairs_differ(gap):
        return size
    pairs = quantity(gap.pairs, "scenario")
    return f"{size}, and {shared_points(gap)} over the {pairs} valid on both sides"


def shared_points(gap: Gap) -> str:
    """Return a gap over its pairs alone, such as "+50.0"; "–" if it is unknown."""
    return "–" if gap.shared is None else f"{round(gap.shared, 1) + 0.0:+.1f}"


def p_words(test: FamilyTest) -> str:
    """Return the p value with its correction, such as "p = 0.03 after Holm over 4 doses"."""
    if test.p is None:
        return "no test"
    family = test.family
    holm = f" after Holm over {family.tests} {family.words}" if family.is_corrected else ""
    return f"{p_text(test.p)}{holm}"


def share_text(rate: Rate) -> str:
    """Return "3 of 36 (8 %, 95 % interval 3 to 22 %)"."""
    if rate.estimate is None:
        return f"{rate.count} of {rate.total}"
    value, low, high = rate.estimate.percent()
    counts = f"{rate.count} of {rate.total}"
    return f"{counts} ({value:.0f} %, 95 % interval {low:.0f} to {high:.0f} %)"


def limits_text(limits: CoherenceLimits) -> str:
    """Return the limits of coherence of an axis, compared with dose 0, in words."""
    rises = {"nonsense": limits.nonsense, "repetition": limits.repetition}
    shares = [
        f"{100 * limit:g} points more {what}" for what, limit in rises.items() if limit is not None
    ]
    words = [f"at most {' and '.join(shares)} than dose 0"] if shares else []
    if limits.loss is not None:
        words.append(f"log-likelihood at most {limits.loss:g} nats per token lower")
    return ", ".join(words) or "no limit"


def ceiling_text(rate: Rate, what: str) -> str:
    """Return one sentence if a rate leaves little room upward, without a full stop; "" if not."""
    if rate.value is None or rate.value <= CEILING:
        return ""
    room = 100 * (1 - rate.value)
    return (
        f"{100 * rate.value:.0f} % converge without steering, so {what} can add {room:.0f} points "
        "at most"
    )
