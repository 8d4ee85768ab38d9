"""Equivalence of paired samples: two one-sided tests on a restricted-likelihood score statistic."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

BISECTIONS = 100
"""Bisection steps for the Lagrange multiplier; more than the precision of a float."""


def is_equivalent(
    differences: Sequence[float], margin: float, most: float, level: float = 0.05
) -> bool:
    """Whether the mean of paired differences is shown to be within ± `margin` (`equivalence_p`)."""
    return bool(differences) and equivalence_p(differences, margin, most) < level


def equivalence_p(differences: Sequence[float], margin: float, most: float) -> float:
    """Return the p value of the hypothesis that the mean difference is not within ± `margin`.

    The larger of two one-sided p values (TOST; Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987,
    657-680) of `score_test`. `differences` has one value per scenario, at least one; `most` is the
    largest possible absolute difference. False positives at 5 %: at most 5 % of runs whose true
    mean equals the margin (benchmarks/COVERAGE.md).
    """
    inside = min(margin, most * (1 - 1e-9))
    upper = score_test(differences, inside, most)
    lower = score_test(differences, -inside, most)
    return NormalDist().cdf(max(upper, -lower))


def score_test(differences: Sequence[float], mean: float, most: float) -> float:
    """Return the score statistic of the hypothesis that the true mean equals `mean`.

    (Sample mean - `mean`) / standard error, where the standard error is that of the maximum
    likelihood distribution on [-most, most] with mean `mean` (restricted nonparametric
    likelihood; Owen, Empirical Likelihood, 2001, section 2.4). With one sample per scenario it
    equals Tango's score statistic (Statistics in Medicine 17, 1998, 891-908) to floating-point
    precision. A statistic with the observed variance would take few discordant scenarios for
    proof of equivalence; this one does not.
    """
    observed = sorted(Counter(differences).items())
    number = len(differences)
    # Weights are n / (N (1 + multiplier (value - mean))). The bounds keep every weight positive,
    # also that of a value of ± most.
    lower = -1 / (most - mean)
    upper = 1 / (most + mean)
    multiplier = _lagrange_multiplier(observed, mean, lower, upper)
    weights = {}
    for value, n in observed:
        scale = 1 + multiplier * (value - mean)
        if abs(scale) > 1e-9:
            weights[value] = n / number / scale
    second_moment = sum(weight * value * value for value, weight in weights.items())
    second_moment += max(0.0, 1 - sum(weights.values())) * most * most
    error = sqrt(max(second_moment - mean * mean, 1e-300) / number)
    return (sum(differences) / number - mean) / error


def _lagrange_multiplier(
    observed: Sequence[tuple[float, int]], mean: float, lower: float, upper: float
) -> float:
    """Return the multiplier at which the weighted mean equals `mean`, by bisection.

    Return a bound if the solution is outside: then the value ± most, which was not observed, gets
    the remaining weight.
    """

    def is_above(multiplier: float) -> bool:
        return sum(n * (v - mean) / (1 + multiplier * (v - mean)) for v, n in observed) > 0

    inside = 1 - 1e-12
    if not is_above(lower * inside):
        return lower
    if is_above(upper * inside):
        return upper
    for _ in range(BISECTIONS):
        middle = (lower + upper) / 2
        if is_above(middle):
            lower = middle
        else:
            upper = middle
    return lower
