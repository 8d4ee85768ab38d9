"""Sign-flip test of the mean of fractions, exact or Monte Carlo."""

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from steertui.stats.significance import sign_flip_test

MAX_SUM = 2_000_000
"""Largest sum of whole-number differences for which the exact distribution is computed."""

FLIPS = 100_000
"""Random sign assignments where the exact distribution is too large."""


def sign_flip_p(differences: Sequence[Fraction], seed: int = 0) -> float:
    """Return the two-sided p value of the mean of differences, one per scenario.

    Null hypothesis: each scenario's difference has a distribution that is symmetric about 0, which
    allows scenarios to move in different directions. The p value is exact (`sign_flip_test`) if the
    differences are multiples of a common step and the sum in steps is at most `MAX_SUM`; otherwise
    it is Monte Carlo with `FLIPS` assignments, (1 + as extreme) / (1 + all).
    """
    steps = lcm(*(difference.denominator for difference in differences))
    whole = [int(difference * steps) for difference in differences]
    divisor = gcd(*whole) or 1
    whole = [value // divisor for value in whole]
    if sum(map(abs, whole)) <= MAX_SUM:
        return sign_flip_test(whole)
    return _monte_carlo(differences, seed)


def _monte_carlo(differences: Sequence[Fraction], seed: int) -> float:
    import numpy as np

    values = np.array([float(difference) for difference in differences])
    observed = abs(values.sum()) * (1 - 1e-12)
    rng = np.random.default_rng(seed)
    extreme = 0
    for _ in range(10):
        signs = rng.integers(0, 2, (FLIPS // 10, len(values)), dtype=np.int8) * 2 - 1
        extreme += int((abs(signs @ values) >= observed).sum())
    return (1 + extreme) / (1 + FLIPS)
