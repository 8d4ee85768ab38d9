"""Equivalence: whether paired differences are shown to be smaller than a margin."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

HALVINGS = 100
"""Of the interval in which the tilt lies: more than a float can tell apart."""


def is_equivalent(
    differences: Sequence[float], margin: float, most: float, level: float = 0.05
) -> bool:
    """Whether the mean of differences, a scenario each, is shown to lie within ± `margin`.

    Two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987) by `score_test`;
    `most` is the largest difference that a scenario can have. Said wrongly of 5 % at the most of
    runs that are off by the margin (benchmarks/COVERAGE.md).
    """
    if not differences:
        return False
    limit = NormalDist().inv_cdf(1 - level)
    high, low = (score_test(differences, mean, most) for mean in (margin, -margin))
    return high < -limit and low > limit


def score_test(differences: Sequence[float], mean: float, most: float) -> float:
    """Return by how many standard errors the differences' mean lies above `mean`.

    The standard error is that of the likeliest distribution over -most ... most whose mean is
    `mean` (the restricted nonparametric likelihood; Owen, Empirical Likelihood, 2001, 2.4). With
    one sample a scenario this is Tango's score statistic (Statistics in Medicine 17, 1998, 891-908)
    to the last digit, which, unlike one with the observed variance, does not take few discordant
    scenarios for proof that there are few.
    """
    seen = sorted(Counter(differences).items())
    number = len(differences)
    # Weights n / (N (1 + tilt (value - mean))); none may be negative, nor may that of ± most.
    low, high = -1 / (most - mean), 1 / (most + mean)
    tilt = _tilt(seen, mean, low, high)
    weights = {value: n / number / (1 + tilt * (value - mean)) for value, n in seen
               if abs(1 + tilt * (value - mean)) > 1e-9}  # fmt: skip
    squares = sum(weight * value * value for value, weight in weights.items())
    squares += max(0.0, 1 - sum(weights.values())) * most * most
    spread = sqrt(max(squares - mean * mean, 1e-300) / number)
    return (sum(differences) / number - mean) / spread


def _tilt(seen: Sequence[tuple[float, int]], mean: float, low: float, high: float) -> float:
    """Return the tilt that moves the weights' mean to `mean`, or the end beyond which it would
    have to lie: there, weight falls to a difference of ± most that nobody saw."""

    def above(tilt: float) -> bool:
        return sum(n * (v - mean) / (1 + tilt * (v - mean)) for v, n in seen) > 0

    inside = 1 - 1e-12
    if not above(low * inside):
        return low
    if above(high * inside):
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) else (low, middle)
    return low
