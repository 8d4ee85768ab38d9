"""Rates of labels: pooled proportion, Wilson score interval, effective sample size."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from operator import attrgetter, itemgetter
from statistics import NormalDist
from typing import NamedTuple

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label

Z95 = NormalDist().inv_cdf(0.975)
"""Standard normal quantile of a two-sided 95 % interval."""

ScenarioCounts = Mapping[str, tuple[int, int]]
"""By scenario: samples with the counted label, and samples with a valid label."""

LabelNumbers = Mapping[tuple[str, Label | None], int]
"""Number of outcomes by scenario and label."""

_scenario_and_label = attrgetter("scenario", "label")
_COUNT, _TOTAL = itemgetter(0), itemgetter(1)


class Policy(StrEnum):
    """Which labelled items form the denominator of a convergence rate.

    PAPER excludes nonsensical answers (arXiv 2601.01584, its public code: "valid only"). ALL
    includes every labelled item. EXCLUDE_REFUSALS excludes nonsensical answers and refusals.
    """

    PAPER = "paper"
    ALL = "all"
    EXCLUDE_REFUSALS = "exclude-refusals"


VALID_LABELS = {
    Policy.PAPER: frozenset(Label) - {Label.NONSENSICAL},
    Policy.ALL: frozenset(Label),
    Policy.EXCLUDE_REFUSALS: frozenset({Label.CONVERGENCE, Label.NO_CONVERGENCE}),
}
"""By policy: the labels in the denominator."""


class Estimate(NamedTuple):
    """A point estimate with its interval, both in the unit of the function that returns it."""

    value: float
    low: float
    high: float

    def percent(self) -> "Estimate":
        """Return a proportion in per cent."""
        return Estimate(100 * self.value, 100 * self.low, 100 * self.high)


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` of `total` items; the limits are proportions, None if `total` is 0."""

    count: int
    total: int
    low: float | None
    high: float | None

    @property
    def value(self) -> float | None:
        """The proportion, None if `total` is 0."""
        return self.count / self.total if self.total else None

    @property
    def estimate(self) -> Estimate | None:
        """Proportion and limits, None if `total` is 0."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return Estimate(self.value, self.low, self.high)


def scenario_counts(
    outcomes: Iterable[Outcome], counted: Label, valid: frozenset[Label]
) -> dict[str, tuple[int, int]]:
    """Return by scenario the samples labelled `counted` and those with a label in `valid`.

    Scenarios without a valid label are absent.
    """
    return counts_by_scenario(count_labels(outcomes), counted, valid)


def count_labels(outcomes: Iterable[Outcome]) -> LabelNumbers:
    """Return the number of outcomes by scenario and label, None for no label."""
    # Counter counts in C: a report may have a hundred thousand outcomes.
    return Counter(map(_scenario_and_label, outcomes))


def counts_by_scenario(
    numbers: LabelNumbers, counted: Label, valid: frozenset[Label]
) -> dict[str, tuple[int, int]]:
    """Return `scenario_counts` of outcomes whose labels are counted."""
    counts: dict[str, tuple[int, int]] = {}
    for (scenario, label), number in numbers.items():
        if label in valid:
            count, total = counts.get(scenario, (0, 0))
            counts[scenario] = count + number * (label is counted), total + number
    return counts


def convergence_rate(outcomes: Iterable[Outcome], policy: Policy = Policy.PAPER) -> Rate:
    """Return the rate of convergence among valid items; the paper's Conv% for `Policy.PAPER`."""
    return pooled_rate(scenario_counts(outcomes, Label.CONVERGENCE, VALID_LABELS[policy]))


def refusal_rate(outcomes: Iterable[Outcome], policy: Policy = Policy.PAPER) -> Rate:
    """Return the rate of safety refusals among valid items; the paper's Refusal%.

    The denominator is all judged items for `Policy.ALL`, otherwise the paper's:
    `Policy.EXCLUDE_REFUSALS` would make it 0 of 0.
    """
    valid = VALID_LABELS[Policy.ALL if policy is Policy.ALL else Policy.PAPER]
    return pooled_rate(scenario_counts(outcomes, Label.SAFETY_REFUSAL, valid))


def nonsensical_rate(outcomes: Iterable[Outcome]) -> Rate:
    """Return the rate of nonsensical answers among judged items; the paper's Nonsense%."""
    return pooled_rate(scenario_counts(outcomes, Label.NONSENSICAL, VALID_LABELS[Policy.ALL]))


def pooled_rate(scenarios: ScenarioCounts, z: float = Z95) -> Rate:
    """Return the pooled rate with its Wilson score interval, 95 % by default.

    With several samples per scenario, the interval is Wilson's on the effective sample size
    (`effective_sample_size`), so it accounts for clustering by scenario.
    """
    count, total = _totals(scenarios)
    if total == 0:
        return Rate(0, 0, None, None)
    low, high = wilson_interval(count / total, effective_sample_size(scenarios, z), z)
    return Rate(count, total, low, high)


def _totals(scenarios: ScenarioCounts) -> tuple[int, int]:
    """Return the sums of both counts over the scenarios; without Python code per scenario."""
    return sum(map(_COUNT, scenarios.values())), sum(map(_TOTAL, scenarios.values()))


def wilson_interval(share: float, size: float, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, 95 % by default.

    Source: Wilson, JASA 22, 1927, 209-212. `size` is the number of items, above 0; it may be
    fractional. Implemented here because statsmodels' `proportion_confint` takes two seconds to
    import and scipy's interval takes no fractional sizes; a test compares it with both (1e-12).
    """
    spread = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    centre = share + z * z / (2 * size)
    scale = 1 + z * z / size
    low = 0.0 if share == 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if share == 1 else min(1.0, (centre + spread) / scale)
    return low, high


def effective_sample_size(scenarios: ScenarioCounts, z: float = Z95) -> float:
    """Return the number of independent items that the pooled rate is worth in an interval with `z`.

    The total divided by the design effect: variance of the ratio estimator, linearised over
    scenarios (Cochran, Sampling Techniques, 3rd ed., section 6.3), over the binomial variance;
    then scaled for Student's t with few scenarios (Korn and Graubard, Survey Methodology 24,
    1998). Before that scaling, the range is from the size with identical samples per scenario
    (also used if the rate is 0 or 1, where clustering cannot be estimated) to the total.
    """
    count, total = _totals(scenarios)
    clusters = len(scenarios)
    lowest = total * total / sum(m * m for _, m in scenarios.values())
    if lowest == total or clusters == 1:
        return lowest
    share = count / total
    size = lowest
    if 0 < share < 1:
        squares = sum((x - share * m) ** 2 for x, m in scenarios.values())
        variance = squares * clusters / (clusters - 1)
        binomial = share * (1 - share) * total * total
        size = min(total, max(lowest, binomial / max(variance, 1e-300)))
    from scipy.special import ndtr, stdtrit

    return size * (z / float(stdtrit(clusters - 1, ndtr(z)))) ** 2
