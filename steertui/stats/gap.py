"""A Gap: how far two conditions' convergence rates lie apart, paired by scenario."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd, sqrt

from steertui.core.outcome import Outcome
from steertui.core.verdict import Label
from steertui.stats.rate import VALID, Cells, Policy, Rate, rate, scenario_counts

SCALE = 512
"""Signs after which the ways to choose them are scaled down."""

LEVEL = 0.05
"""A p value at or below this is called a difference; intervals are 95 % to match."""


@dataclass(frozen=True, slots=True)
class Gap:
    """`first` minus `second`; see `gap` for how each number is made.

    Attributes:
        points: difference of the two convergence rates, percentage points; None without both.
        low: lower 95 % limit, percentage points.
        high: upper 95 % limit, percentage points.
        pairs: scenarios with a valid item under both conditions.
        only_first: pairs that converge more often under `first`.
        only_second: pairs that converge more often under `second`.
        p: two-sided exact p value over the pairs; None without any.
        samples: most valid samples that a scenario has under either condition.
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


def gap(outcomes: Sequence[Outcome], first: str, second: str, policy: Policy = Policy.PAPER) -> Gap:
    """Compare two conditions of one model and judge; see `gap_of`."""
    one, two = (
        scenario_counts(
            (o for o in outcomes if o.condition == name), Label.CONVERGENCE, VALID[policy]
        )
        for name in (first, second)
    )
    return gap_of(one, two, first, second)


def gap_of(one: Cells, two: Cells, first: str, second: str) -> Gap:
    """Compare two sets of scenarios, paired by name.

    The points and their interval use each side's own valid items, as the paper does
    (arXiv 2601.01584); the test uses the scenarios valid on both. Interval: `paired_limits`.
    p: `sign_flip_test`, which is McNemar's exact test where each scenario has one sample.
    """
    moved = paired_differences(one, two)
    points = low = high = None
    a, b = rate(one), rate(two)
    if a.value is not None and b.value is not None:
        points = 100 * (a.value - b.value)
        low, high = (100 * limit for limit in paired_limits(a, b, correlation(one, two)))
    return Gap(
        first, second, points, low, high,
        pairs=len(moved),
        only_first=sum(shift > 0 for shift in moved),
        only_second=sum(shift < 0 for shift in moved),
        p=sign_flip_test(moved) if moved else None,
        samples=max((m for arm in (one, two) for _, m in arm.values()), default=1),
    )  # fmt: skip


def paired_differences(one: Cells, two: Cells) -> list[int]:
    """Return x1 m2 - x2 m1 for each shared scenario, where x of its m samples count.

    Its sign says under which condition more of them do; 1, 0 or -1 for one sample each.
    """
    return [
        one[name][0] * two[name][1] - two[name][0] * one[name][1] for name in one if name in two
    ]


def paired_limits(one: Rate, two: Rate, rho: float) -> tuple[float, float]:
    """Return 95 % limits of the difference of two correlated rates, as proportions.

    Square-and-add of the rates' own Wilson limits (Newcombe, Statistics in Medicine 17, 1998,
    2635-2650, method 10; for any pair of limits Zou and Donner, ibid. 27, 2008). Never of zero
    width. scipy and statsmodels have none for paired rates. Raises ValueError without both.
    """
    p1, l1, u1 = _known(one)
    p2, l2, u2 = _known(two)
    low, high = mover_limits((p1, l1, u1), (p2, l2, u2), rho)
    return max(-1.0, low), min(1.0, high)


Estimate = tuple[float, float, float]
"""A value, its lower and its upper limit."""


def mover_limits(one: Estimate, two: Estimate, rho: float) -> tuple[float, float]:
    """Return limits of the difference of two estimates with this correlation (Zou and Donner)."""
    p1, l1, u1 = one
    p2, l2, u2 = two
    down = (p1 - l1) ** 2 - 2 * rho * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    up = (u1 - p1) ** 2 - 2 * rho * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - sqrt(max(0.0, down)), p1 - p2 + sqrt(max(0.0, up))


def _known(found: Rate) -> tuple[float, float, float]:
    if found.value is None or found.low is None or found.high is None:
        raise ValueError("a rate of no items has no limits")
    return found.value, found.low, found.high


def correlation(one: Cells, two: Cells) -> float:
    """Return the correlation of two pooled rates over shared scenarios, from linearised residuals.

    With one sample a scenario, all valid, this is phi of the 2 x 2 table with Newcombe's
    continuity correction (1998, method 10); 0 where a rate is 0 or 1 and so tells nothing.
    """
    left, right = residuals(one), residuals(two)
    scale = sqrt(sum(e * e for e in left.values()) * sum(e * e for e in right.values()))
    product = sum(e * right[name] for name, e in left.items() if name in right)
    if product > 0:
        product = max(0.0, product - 0.5)
    return product / scale if scale > 1e-12 else 0.0


def residuals(scenarios: Cells) -> dict[str, float]:
    """Return x - share m for each scenario: by how much it pulls the pooled share."""
    total = sum(m for _, m in scenarios.values())
    share = sum(x for x, _ in scenarios.values()) / total if total else 0.0
    return {name: x - share * m for name, (x, m) in scenarios.items()}


def sign_flip_test(moved: Sequence[int]) -> float:
    """Return the exact two-sided p of the shifts' sum when every sign is as likely as its other.

    Fisher's (Design of Experiments, 1935, section 21) randomisation test over all 2^n signs, by
    convolution. With one sample a scenario it is McNemar's exact test.
    """
    divisor = gcd(*moved) or 1
    steps = sorted(abs(shift) // divisor for shift in moved if shift)
    reach, seen = sum(steps), abs(sum(moved)) // divisor
    if seen == 0:
        return 1.0
    if steps[0] == steps[-1]:  # McNemar's own case: so many heads or fewer of so many coins
        from scipy.special import bdtr

        coins, lead = len(steps), seen // steps[0]
        return 2 * float(bdtr((coins - lead) // 2, coins, 0.5)) if lead > 1 else 1.0
    import numpy as np

    # Ways to reach the sums -reach ... reach, in steps of one: filled from the left, and so
    # shifted by what is still to come. Scaled down now and then, since 2^1024 is no number.
    ways, wider = np.zeros(2 * reach + 1), np.zeros(2 * reach + 1)
    ways[0], filled = 1.0, 1
    for number, step in enumerate(steps, 1):
        end = filled + 2 * step
        wider[:filled] = ways[:filled]
        wider[filled:end] = 0.0
        wider[2 * step : end] += ways[:filled]
        ways, wider, filled = wider, ways, end
        if number % SCALE == 0:
            ways[:filled] *= 0.5**SCALE
    return min(1.0, 2 * float(ways[reach + seen :].sum()) * 0.5 ** (len(steps) % SCALE))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p values adjusted for everything tested together, in the given order.

    Holm's step-down (Scandinavian Journal of Statistics 6, 1979). Four lines here because
    statsmodels' `multipletests` takes two seconds to import; a test holds them equal.
    """
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = worst
    return tuple(adjusted)


def transitions(
    outcomes: Iterable[Outcome], first: str, second: str
) -> tuple[tuple[int, ...], ...]:
    """Return a 4 x 4 table of items: row the label under `first`, column under `second`.

    Rows and columns are in `Label`'s order; an item is a scenario's sample of the same index,
    labelled under both conditions.
    """
    labels: dict[str, dict[tuple[str, int], Label]] = {first: {}, second: {}}
    for outcome in outcomes:
        if outcome.label is not None and outcome.condition in labels:
            labels[outcome.condition][outcome.scenario, outcome.sample] = outcome.label
    items = [item for item in labels[first] if item in labels[second]]
    table = Counter(zip(*(map(side.__getitem__, items) for side in labels.values()), strict=True))
    return tuple(tuple(table[row, column] for column in Label) for row in Label)
