"""Significance: exact sign-flip (McNemar) test of paired differences, Holm's correction."""

from collections.abc import Sequence
from math import gcd
from statistics import NormalDist

SIGNIFICANCE_LEVEL = 0.05
"""A p value at or below this level is reported as a difference; intervals are 95 % to match."""

RESCALE_AFTER = 512
"""Number of signs after which the counts of sign assignments are scaled down."""


def sign_flip_test(differences: Sequence[int]) -> float:
    """Return the exact two-sided p value of the sum of paired differences.

    Fisher's randomisation test (The Design of Experiments, 1935, section 21): under the null
    hypothesis each difference has either sign with probability 1/2. With one sample per scenario
    (differences -1, 0, 1) it is McNemar's exact test. Differences of 0 have no effect.
    """
    divisor = gcd(*differences) or 1
    sizes = sorted(abs(difference) // divisor for difference in differences if difference)
    observed = abs(sum(differences)) // divisor
    if observed == 0:
        return 1.0
    if sizes[0] == sizes[-1]:
        return _binomial_test(len(sizes), observed // sizes[0])
    return _convolution_test(sizes, observed)


def _binomial_test(signs: int, excess: int) -> float:
    """Return the two-sided p value of `excess` more positive than negative of `signs` signs.

    This is McNemar's exact test on `signs` discordant pairs.
    """
    from scipy.special import bdtr

    if excess <= 1:
        return 1.0
    return 2 * float(bdtr((signs - excess) // 2, signs, 0.5))


def _convolution_test(sizes: Sequence[int], observed: int) -> float:
    """Return the two-sided p value of a sum `observed` > 0 of differences with these sizes."""
    import numpy as np

    # A sum is at least `observed` if the differences with a negative sign sum up to `most` at most.
    # counts[i] is the number of sign assignments so far whose negative ones sum up to i. It is
    # scaled down now and then: 2^1024 overflows a float.
    most = (sum(sizes) - observed) // 2
    counts = np.zeros(most + 1)
    counts[0] = 1.0
    filled = 1
    for number, size in enumerate(sizes, 1):
        filled = min(filled + size, most + 1)
        if size < filled:
            counts[size:filled] += counts[: filled - size]
        if number % RESCALE_AFTER == 0:
            counts[:filled] *= 0.5**RESCALE_AFTER
    return min(1.0, 2 * float(counts.sum()) * 0.5 ** (len(sizes) % RESCALE_AFTER))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's adjusted p values, in the given order.

    Step-down procedure over all values (Holm, Scandinavian Journal of Statistics 6, 1979, 65-70).
    Implemented here because statsmodels' `multipletests` takes two seconds to import; a test
    compares the two.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def normal_quantile(level: float) -> float:
    """Return the two-sided standard normal quantile of a significance level, 1.96 for 0.05."""
    return NormalDist().inv_cdf(1 - level / 2)
