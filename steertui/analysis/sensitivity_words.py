"""Words for the sensitivity of a gap: other estimates, other policies, bounds over nonsense."""

from collections.abc import Iterator

from steertui.analysis.sentences import p_text
from steertui.stats.sensitivity import Sensitivity
from steertui.stats.significance import SIGNIFICANCE_LEVEL
from steertui.units import quantity


def sensitivity_text(title: str, check: Sensitivity, *, is_corrected: bool) -> str:
    """Return one sentence on a gap under other choices, without a full stop; "" if unknown.

    `is_corrected` says whether Holm corrects its test over several ones.
    """
    if check.marginal.points is None or check.shared.points is None:
        return ""
    parts = [both_estimates(check), *_policies(check, is_corrected), *_bounds(check)]
    return f"Sensitivity of {title}: {'; '.join(parts)}"


def conclusion_reasons(title: str, check: Sensitivity) -> Iterator[str]:
    """Yield why what is concluded from a gap depends on other choices."""
    if check.policies_differ:
        yield f"whether {title} is shown depends on the policy"
    if check.nonsense_may_explain:
        yield f"the labels of nonsensical answers may explain {title}"


def both_estimates(check: Sensitivity) -> str:
    """Return "+38.7 points over all valid answers of each condition, +54.5 over …"."""
    marginal, shared = (
        "unknown" if gap.points is None else f"{gap.points:+.1f}"
        for gap in (check.marginal, check.shared)
    )
    return (
        f"{marginal} points over all valid answers of each condition, {shared} over the "
        f"{quantity(check.shared.pairs, 'scenario')} valid under both"
    )


def _policies(check: Sensitivity, is_corrected: bool) -> Iterator[str]:
    for policy, gap in check.policies.items():
        if gap != check.marginal and gap.points is not None:
            verdict = _other_verdict(check, check.p_values[policy], is_corrected)
            yield f"{gap.points:+.1f} under policy {policy}{verdict}"


def _other_verdict(check: Sensitivity, other: float | None, is_corrected: bool) -> str:
    """Return the p value if the exact test decides otherwise, "" if it does not."""
    if check.p is None or other is None:
        return ""
    if (check.p <= SIGNIFICANCE_LEVEL) == (other <= SIGNIFICANCE_LEVEL):
        return ""
    holm = " after Holm" if is_corrected else ""
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
