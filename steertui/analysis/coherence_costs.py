"""Cost of coherence of conditions outside an axis, and the doses that cost as much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steertui.stats.coherence import AnswerMeasures, PairedMean, ScenarioSums, paired_mean
from steertui.stats.families import Family, Role
from steertui.stats.matched_dose import MatchedDose, matched_costs
from steertui.stats.rate import Estimate
from steertui.stats.significance import SIGNIFICANCE_LEVEL, holm
from steertui.stats.simultaneous import agreeing_limits, simultaneous_level


@dataclass(frozen=True, slots=True)
class CostMatch:
    """Cost of coherence of a condition, which an axis is to match.

    Attributes:
        loss: fall of the log-likelihood from dose 0 to the condition, in nats per token; the limits
            of all conditions hold at once with 95 % and agree with the tests.
        family: the conditions that are tested together.
        p: of the loss, after Holm over the family.
        matched: doses with the same mean log-likelihood, upward and downward from 0; empty if no
            loss is shown, so that there is nothing to match.
    """

    loss: PairedMean
    family: Family
    p: float
    matched: tuple[MatchedDose, ...]


def cost_matches(
    doses: Sequence[tuple[float, str]],
    targets: Sequence[str],
    measures: Mapping[str, AnswerMeasures],
) -> dict[str, CostMatch]:
    """Return the cost of each target whose log-likelihoods, and those of all doses, are known.

    Args:
        doses: dose and condition, by increasing dose, with 0.
        targets: conditions outside the axis.
        measures: by condition.
    """
    logliks = {name: own.loglik for name, own in measures.items() if own.loglik}
    if not all(name in logliks for _, name in doses):
        return {}
    anchor = logliks[next(name for dose, name in doses if dose == 0)]
    known = [name for name in targets if name in logliks]
    family = Family(Role.SECONDARY, len(known), "conditions")
    losses = _losses(anchor, [logliks[name] for name in known])
    curve = [_negated(logliks[name]) for _, name in doses]
    values = [dose for dose, _ in doses]
    found = {}
    for name, (loss, p) in zip(known, losses, strict=True):
        is_loss = loss.mean > 0 and p <= SIGNIFICANCE_LEVEL
        matched = matched_costs(values, curve, _negated(logliks[name])) if is_loss else []
        found[name] = CostMatch(loss, family, p, tuple(matched))
    return found


def _losses(anchor: ScenarioSums, others: Sequence[ScenarioSums]) -> list[tuple[PairedMean, float]]:
    """Return the loss of each condition with its limits, and its p value after Holm."""
    level = simultaneous_level(max(len(others), 1))
    losses = [paired_mean(anchor, other, level) for other in others]
    adjusted = holm([loss.p for loss in losses])
    return [(_agreeing(loss, p), p) for loss, p in zip(losses, adjusted, strict=True)]


def _agreeing(loss: PairedMean, p: float) -> PairedMean:
    if loss.low is None or loss.high is None:
        return loss
    estimate = agreeing_limits(
        Estimate(loss.mean, loss.low, loss.high),
        is_shown=p <= SIGNIFICANCE_LEVEL,
        direction=1 if loss.mean > 0 else -1,
    )
    return replace(loss, low=estimate.low, high=estimate.high)


def _negated(sums: ScenarioSums) -> ScenarioSums:
    return {name: (-total, number) for name, (total, number) in sums.items()}
