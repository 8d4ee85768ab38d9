"""A Rate: a share of labels with its 95 % interval, under a named Policy."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from operator import attrgetter
from statistics import NormalDist

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label

Z = NormalDist().inv_cdf(0.975)

_ITEM = attrgetter("scenario", "label")

Cells = Mapping[str, tuple[int, int]]
"""By scenario: how many of its samples count, of how many valid ones."""


class Policy(StrEnum):
    """Which labelled items make the denominator of a convergence rate.

    PAPER leaves nonsensical answers out (arXiv 2601.01584, its public code: "valid only"), ALL
    keeps every labelled item, ENGAGED leaves refusals out as well.
    """

    PAPER = "paper"
    ALL = "all"
    ENGAGED = "engaged"


VALID = {
    Policy.PAPER: frozenset(Label) - {Label.NONSENSICAL},
    Policy.ALL: frozenset(Label),
    Policy.ENGAGED: frozenset({Label.CONVERGENCE, Label.NO_CONVERGENCE}),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `total` items; the limits are proportions, and None where `total` is 0."""

    count: int
    total: int
    low: float | None
    high: float | None

    @property
    def value(self) -> float | None:
        """The proportion, None where nothing was counted."""
        return self.count / self.total if self.total else None


def scenario_counts(
    outcomes: Iterable[Outcome], counted: Label, valid: frozenset[Label]
) -> dict[str, tuple[int, int]]:
    """Return by scenario how many samples bear `counted`, and how many bear a valid label."""
    found: dict[str, tuple[int, int]] = {}
    seen = Counter(map(_ITEM, outcomes))  # counted in C: a report may hold a hundred thousand
    for (scenario, label), items in seen.items():
        if label in valid:
            count, total = found.get(scenario, (0, 0))
            found[scenario] = count + items * (label is counted), total + items
    return found


def convergence_rate(outcomes: Iterable[Outcome], policy: Policy = Policy.PAPER) -> Rate:
    """Return convergence / valid items; the paper's Conv% under `Policy.PAPER`."""
    return rate(scenario_counts(outcomes, Label.CONVERGENCE, VALID[policy]))


def refusal_rate(outcomes: Iterable[Outcome], policy: Policy = Policy.PAPER) -> Rate:
    """Return safety_refusal / valid items, the paper's Refusal%; under `Policy.ALL` / all judged.

    `Policy.ENGAGED` leaves refusals out of convergence rates, where they would be 0 of 0 here,
    so the share is the paper's.
    """
    valid = VALID[Policy.ALL if policy is Policy.ALL else Policy.PAPER]
    return rate(scenario_counts(outcomes, Label.SAFETY_REFUSAL, valid))


def nonsense_rate(outcomes: Iterable[Outcome]) -> Rate:
    """Return nonsensical / judged items, the paper's Nonsense%, under every policy."""
    return rate(scenario_counts(outcomes, Label.NONSENSICAL, VALID[Policy.ALL]))


def rate(scenarios: Cells) -> Rate:
    """Return the pooled rate with its 95 % interval.

    One sample a scenario: Wilson's score interval. Several: Wilson's on the effective sample
    size (see `effective_size`), so clustered by scenario.
    """
    count = sum(x for x, _ in scenarios.values())
    total = sum(m for _, m in scenarios.values())
    if total == 0:
        return Rate(0, 0, None, None)
    low, high = wilson(count / total, effective_size(scenarios))
    return Rate(count, total, low, high)


def wilson(share: float, size: float, z: float = Z) -> tuple[float, float]:
    """Return Wilson's score limits (JASA 22, 1927) for a share of `size` items, `size` > 0.

    95 % limits, if `z`, the normal quantile, is not given.

    The closed form stands here because statsmodels' `proportion_confint` takes two seconds to
    import and scipy's takes no fractional sizes; a test holds it to both within 1e-12.
    """
    spread = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    middle, scale = share + z * z / (2 * size), 1 + z * z / size
    low = 0.0 if share == 0 else max(0.0, (middle - spread) / scale)
    high = 1.0 if share == 1 else min(1.0, (middle + spread) / scale)
    return low, high


def effective_size(scenarios: Cells) -> float:
    """Return how many independent items the pooled share is worth.

    The total over the design effect: the ratio estimator's variance, linearised over scenarios
    (Cochran, Sampling Techniques, 6.3), against the binomial one; scaled to Student's t for few
    scenarios (Korn and Graubard, Survey Methodology 24, 1998). At least the size when samples
    of a scenario are all alike (taken too where the share is 0 or 1, which says nothing of
    clustering), at most the total.
    """
    count = sum(x for x, _ in scenarios.values())
    total = sum(m for _, m in scenarios.values())
    alike = total * total / sum(m * m for _, m in scenarios.values())
    if alike == total or len(scenarios) == 1:
        return alike
    share, clusters = count / total, len(scenarios)
    squares = sum((x - share * m) ** 2 for x, m in scenarios.values()) * clusters / (clusters - 1)
    size = alike
    if 0 < share < 1:
        size = min(total, max(alike, share * (1 - share) * total * total / max(squares, 1e-300)))
    from scipy.special import stdtrit

    return size * (Z / float(stdtrit(clusters - 1, 0.975))) ** 2
