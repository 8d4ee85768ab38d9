"""Paired gap between two conditions: estimate, interval, exact test."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import lcm, sqrt
from statistics import fmean

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.rate import (
    VALID_LABELS,
    Z95,
    Estimate,
    Policy,
    ScenarioCounts,
    pooled_rate,
    scenario_counts,
)
from steertui.stats.significance import sign_flip_test
from steertui.stats.simultaneous import MIN_PAIRS

GapCounts = tuple[ScenarioCounts, ScenarioCounts]
"""Counts under the first and the second condition of a gap."""

MAX_STEPS = 10_000
"""Largest common total of shares with unequal numbers of items; finer ones are rounded to it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Convergence rate of `first` minus that of `second` (see `paired_gap`).

    Attributes:
        points: difference in percentage points; None unless both rates exist.
        low: lower 95 % limit, percentage points; None unless both rates exist and there are
            `MIN_PAIRS` pairs.
        high: upper 95 % limit, percentage points.
        pairs: scenarios with a valid item under both conditions.
        only_first: pairs with a higher share of convergence under `first`.
        only_second: pairs with a higher share of convergence under `second`.
        p: exact two-sided p value over the pairs; None without pairs.
        samples: largest number of valid samples of any scenario under either condition.
        shared: the same difference over the pairs alone, each with the same weight, in percentage
            points; None without pairs.
    """

    first: str
    second: str
    points: float | None
    low: float | None
    high: float | None
    pairs: int
    only_first: int
    only_second: int
    p: float | None
    samples: int = 1
    shared: float | None = None


def condition_gap(
    outcomes: Sequence[Outcome], first: str, second: str, policy: Policy = Policy.PAPER
) -> Gap:
    """Return the gap between two conditions of one model under one judge (see `paired_gap`)."""
    one, two = (
        scenario_counts(
            (o for o in outcomes if o.condition == name), Label.CONVERGENCE, VALID_LABELS[policy]
        )
        for name in (first, second)
    )
    return paired_gap(one, two, first, second)


def paired_gap(one: ScenarioCounts, two: ScenarioCounts, first: str, second: str) -> Gap:
    """Return the gap between two sides, paired by scenario.

    The points and their interval use all valid items of each side, as the paper does
    (arXiv 2601.01584); the test uses the scenarios that are valid on both sides. Interval:
    `paired_limits`. p value: `sign_flip_test`, which is McNemar's exact test if each scenario has
    one sample.
    """
    return tested_gap(
        (first, second),
        gap_estimate((one, two)),
        paired_differences(one, two),
        most_samples(one, two),
        shares=share_differences(one, two),
    )


def shared_gap(one: ScenarioCounts, two: ScenarioCounts, first: str, second: str) -> Gap:
    """Return the gap over the scenarios of its test, each with the same weight.

    Points and interval are over `balanced_scenarios`; the test is that of `paired_gap`.
    """
    return tested_gap(
        (first, second),
        gap_estimate(balanced_scenarios(one, two)),
        paired_differences(one, two),
        most_samples(*shared_scenarios(one, two)),
        shares=share_differences(one, two),
    )


def most_samples(*sides: ScenarioCounts) -> int:
    """Return the largest number of valid items of a scenario on any side, at least 1."""
    return max((m for side in sides for _, m in side.values()), default=1)


def tested_gap(
    names: tuple[str, str],
    estimate: Estimate | None,
    differences: Sequence[int],
    samples: int,
    *,
    shares: Sequence[float],
) -> Gap:
    """Return the gap with this estimate and the test of these differences, one per scenario.

    `shares` are the same differences as proportions. Fewer than `MIN_PAIRS` differences have no
    limits: they show next to nothing of the variance.
    """
    has_limits = estimate is not None and len(differences) >= MIN_PAIRS
    return Gap(
        first=names[0],
        second=names[1],
        points=estimate.value if estimate else None,
        low=estimate.low if estimate and has_limits else None,
        high=estimate.high if estimate and has_limits else None,
        pairs=len(differences),
        only_first=sum(difference > 0 for difference in differences),
        only_second=sum(difference < 0 for difference in differences),
        p=sign_flip_test(differences) if differences else None,
        samples=samples,
        shared=100 * fmean(shares) if shares else None,
    )


def gap_estimate(counts: GapCounts, z: float = Z95) -> Estimate | None:
    """Return a gap with its limits, 95 % by default, in percentage points.

    None unless both rates exist. `z` is the two-sided standard normal quantile of the level.
    """
    a = pooled_rate(counts[0], z).estimate
    b = pooled_rate(counts[1], z).estimate
    if a is None or b is None:
        return None
    limits = paired_limits(a, b, rate_correlation(*counts))
    return Estimate(a.value - b.value, *limits).percent()


def shared_scenarios(
    one: ScenarioCounts, two: ScenarioCounts
) -> tuple[ScenarioCounts, ScenarioCounts]:
    """Return both sides' counts of the scenarios with a valid item on both."""
    shared = [name for name in one if name in two]
    return {name: one[name] for name in shared}, {name: two[name] for name in shared}


def balanced_scenarios(
    one: ScenarioCounts, two: ScenarioCounts
) -> tuple[ScenarioCounts, ScenarioCounts]:
    """Return both sides' counts of the shared scenarios, each scenario with the same weight.

    With several samples, a scenario may have fewer valid items on one side and weigh less there:
    the pooled rates then differ without any effect if nonsense goes with difficulty. Each share is
    kept, to 1 / `MAX_STEPS`, as a count of a common total. With equal numbers of valid items these
    are the shared scenarios.
    """
    sides = shared_scenarios(one, two)
    sizes = {m for side in sides for _, m in side.values()}
    if len(sizes) < 2:
        return sides
    total = min(lcm(*sizes), MAX_STEPS)
    first, second = (
        {name: (round(x * total / m), total) for name, (x, m) in side.items()} for side in sides
    )
    return first, second


def paired_differences(one: ScenarioCounts, two: ScenarioCounts) -> list[int]:
    """Return x1 m2 - x2 m1 for each shared scenario, for x of m samples with the counted label.

    The sign shows which side has the higher share. With one sample each the values are -1, 0, 1.
    """
    one, two = shared_scenarios(one, two)
    return [x * two[name][1] - two[name][0] * m for name, (x, m) in one.items()]


def share_differences(one: ScenarioCounts, two: ScenarioCounts) -> list[float]:
    """Return the difference of the shares of convergence for each shared scenario, -1 to 1."""
    return [one[n][0] / one[n][1] - two[n][0] / two[n][1] for n in one if n in two]


def paired_limits(one: Estimate, two: Estimate, correlation: float) -> tuple[float, float]:
    """Return the 95 % limits of the difference of two correlated rates, as proportions.

    Newcombe's square-and-add interval for paired differences (Statistics in Medicine 17, 1998,
    2635-2650, method 10) on the rates' Wilson limits, as generalised by MOVER (`mover_limits`).
    The interval never has zero width. scipy and statsmodels have none for paired rates.
    """
    low, high = mover_limits(one, two, correlation)
    return max(-1.0, low), min(1.0, high)


def mover_limits(one: Estimate, two: Estimate, correlation: float) -> tuple[float, float]:
    """Return the limits of the difference of two estimates, in their unit.

    MOVER, the method of variance estimates recovery (Zou and Donner, Statistics in Medicine 27,
    2008, 1693-1702), also called square-and-add.
    """
    p1, l1, u1 = one
    p2, l2, u2 = two
    below = (p1 - l1) ** 2 - 2 * correlation * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * correlation * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - sqrt(max(0.0, below)), p1 - p2 + sqrt(max(0.0, above))


def rate_correlation(one: ScenarioCounts, two: ScenarioCounts) -> float:
    """Return the correlation of two pooled rates over shared scenarios.

    Computed from `linearised_residuals`. With one valid sample per scenario it is phi of the
    2 x 2 table with Newcombe's continuity correction (1998, method 10). 0 if a rate is 0 or 1,
    where the correlation cannot be estimated.
    """
    left = linearised_residuals(one)
    right = linearised_residuals(two)
    scale = sqrt(sum(e * e for e in left.values()) * sum(e * e for e in right.values()))
    product = sum(e * right[name] for name, e in left.items() if name in right)
    if product > 0:
        product = max(0.0, product - 0.5)
    return product / scale if scale > 1e-12 else 0.0


def linearised_residuals(scenarios: ScenarioCounts) -> dict[str, float]:
    """Return x - rate * m by scenario: its contribution to the pooled rate's linearised error."""
    total = sum(m for _, m in scenarios.values())
    rate = sum(x for x, _ in scenarios.values()) / total if total else 0.0
    return {name: x - rate * m for name, (x, m) in scenarios.items()}


def label_transitions(
    outcomes: Iterable[Outcome], first: str, second: str
) -> tuple[tuple[int, ...], ...]:
    """Return the 4 x 4 table of labels under `first` (rows) and under `second` (columns).

    Rows and columns are in `Label`'s order. An item is one sample of a scenario, labelled under
    both conditions; samples are matched by their index.
    """
    labels: dict[str, dict[tuple[str, int], Label]] = {first: {}, second: {}}
    for outcome in outcomes:
        if outcome.label is not None and outcome.condition in labels:
            labels[outcome.condition][outcome.scenario, outcome.sample] = outcome.label
    items = [item for item in labels[first] if item in labels[second]]
    table = Counter(zip(*(map(side.__getitem__, items) for side in labels.values()), strict=True))
    return tuple(tuple(table[row, column] for column in Label) for row in Label)
