"""Power of the exact McNemar test and of the equivalence test: gaps and scenarios needed.

The alternative has two parameters. `points` is the true gap, and `back` the probability that a
scenario moves against it: it converges only under the condition with the lower rate. So a scenario
converges only under the first condition with probability points / 100 + back, only under the second
with probability back, and under both or neither otherwise.
"""

from bisect import bisect_left
from math import ceil, floor, log2, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from steertui.stats.significance import SIGNIFICANCE_LEVEL

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

BACK_SHARES = (0.0, 0.05, 0.10)
"""Shares of scenarios that move against the gap, for a plan without a pilot."""

TAIL = 8
"""Standard errors of the number of scenarios that move back, beyond which its probability (under
1e-14) is left out."""


def min_discordant(tests: int = 1) -> int:
    """Return the smallest number of discordant scenarios at which p <= 0.05 is possible.

    All of them must change in the same direction. With `tests` comparisons in a family, Holm's
    factor for the smallest p value is their number: tests * 2 * 0.5^k <= 0.05. The result is 6
    for one test, 7 for three, 8 for six.
    """
    return ceil(log2(2 * tests / SIGNIFICANCE_LEVEL))


def detection_power(scenarios: int, points: float, tests: int = 1, back: float = 0.0) -> float:
    """Return the probability that the exact test shows a true gap of `points`, 0 to 1.

    Shows: p times `tests` is at most 0.05 and the direction is right. All pairs are valid, with one
    sample per scenario, and no other of the `tests` comparisons of the family is significant, so
    Holm's factor is their number. The sum over the number y of scenarios that move back is exact:
    P(y) P(X >= c(y)), where y is binomial (scenarios, back), X is binomial (scenarios - y,
    (points / 100 + back) / (1 - back)) and c(y) is the smallest number of opposite moves that is
    significant (Duffy, Biometrics 40, 1984, 1005-1015). Raises ValueError unless 0 <= back < 1,
    points >= 0 and points / 100 + 2 back <= 1.
    """
    gap = points / 100
    if not 0 <= back < 1 or points < 0 or gap + 2 * back > 1 + 1e-12:
        raise ValueError(f"gap of {points} points with a share of {back} back: no such population")
    from scipy.special import betainc

    spread = TAIL * sqrt(scenarios * back * (1 - back)) + TAIL * (back > 0)
    lowest = max(0, floor(scenarios * back - spread))
    highest = min(scenarios, ceil(scenarios * back + spread))
    moved_back = np.arange(lowest, highest + 1)
    needed = _significant_moves(moved_back, tests)
    others = scenarios - moved_back
    possible = needed <= others
    chances = _binomial_probabilities(moved_back, scenarios, back)
    share = min(1.0, (gap + back) / (1 - back))
    shown = betainc(needed[possible], others[possible] - needed[possible] + 1, share)
    return float(np.sum(chances[possible] * shown))


def _significant_moves(back: Integers, tests: int) -> Integers:
    """Return for each number of moves back the smallest number of opposite ones that is shown.

    McNemar's exact p value is twice P(Binomial(x + y, 1/2) <= y) = I_1/2(x, y + 1), a regularised
    incomplete beta function that decreases in x: bisection.
    """
    from scipy.special import betainc

    low = back
    high = 2 * back + 100
    while np.any(high - low > 1):
        middle = (low + high) // 2
        is_shown = 2 * tests * betainc(middle, back + 1, 0.5) <= SIGNIFICANCE_LEVEL
        high = np.where(is_shown, middle, high)
        low = np.where(is_shown, low, middle)
    return high


def _binomial_probabilities(counts: Integers, size: int, share: float) -> Floats:
    from scipy.special import gammaln, xlog1py, xlogy

    ways = gammaln(size + 1) - gammaln(counts + 1) - gammaln(size - counts + 1)
    return np.asarray(np.exp(ways + xlogy(counts, share) + xlog1py(size - counts, -share)))


def minimum_detectable_gap(
    scenarios: int, power: float = 0.8, tests: int = 1, back: float = 0.0
) -> float | None:
    """Return the smallest true gap that the exact test shows with `power`, in percentage points.

    The gap solves `detection_power` = power. With `back` = 0 it is the best case: no scenario moves
    against the gap. Return None if no gap reaches the power: with fewer than `min_discordant`
    scenarios, or if too many move back.
    """
    if scenarios < min_discordant(tests):
        return None
    if back == 0:
        from scipy.special import betaincinv

        least = min_discordant(tests)
        return 100 * float(betaincinv(least, scenarios - least + 1, power))
    largest = 100 * (1 - 2 * back)
    if largest <= 0 or detection_power(scenarios, largest, tests, back) < power:
        return None
    from scipy.optimize import brentq

    def excess(points: float) -> float:
        return detection_power(scenarios, points, tests, back) - power

    return float(brentq(excess, 0.0, largest, xtol=1e-10))


def best_sampled_gap(gap: float, samples: int) -> float:
    """Return the smallest detectable gap with several samples per scenario, in percentage points.

    `gap` is the minimum detectable gap with one sample per scenario and none against it. The exact
    test counts scenarios, not answers, so as many scenarios must move. With independent samples of
    which none moves against the gap g, a scenario moves with probability 1 - (1 - g)^samples. It is
    the best case: samples that depend on each other, scenarios of unequal gaps and moves back need
    a larger gap.
    """
    return 100 * (1 - float((1 - gap / 100) ** (1 / samples)))


def scenarios_needed(points: float, power: float = 0.8, tests: int = 1, back: float = 0.0) -> int:
    """Return the number of scenarios at which `minimum_detectable_gap` is at most `points`.

    Raises ValueError unless 0 < points <= 100 (1 - 2 back).
    """
    if not 0 < points <= 100 * (1 - 2 * back):
        raise ValueError(f"gap of {points} points: must be above 0 and at most 100 (1 - 2 back)")

    def own_power(size: int) -> float:
        return detection_power(size, points, tests, back)

    low = high = min_discordant(tests)
    while own_power(high) < power:
        low, high = high, 2 * high
    sizes = range(low, high + 1)
    return sizes[bisect_left(sizes, power, key=own_power)]


def equivalence_power(scenarios: int, margin: float, back: float) -> float:
    """Return the probability that equivalence within ± `margin` points is shown, 0 to 1.

    If the true gap is 0 and each direction has the share `back` of scenarios: two one-sided score
    tests at 5 % (`equivalence.equivalence_p`; Tango, Statistics in Medicine 17, 1998, 891-908, in
    closed form), one sample per scenario, all pairs valid. The sum over the numbers of scenarios
    that change is exact. Raises ValueError unless 0 <= back <= 0.5 and 0 < margin < 100.
    """
    if not 0 <= back <= 0.5 or not 0 < margin < 100:
        raise ValueError(f"margin of {margin} points with a share of {back}: out of range")
    changed = 2 * back
    spread = TAIL * sqrt(scenarios * changed * (1 - changed)) + TAIL * (changed > 0)
    lowest = max(0, floor(scenarios * changed - spread))
    highest = min(scenarios, ceil(scenarios * changed + spread))
    total = 0.0
    for number in range(lowest, highest + 1):
        first = np.arange(number + 1)
        statistics = [
            _tango_statistic(own, number - own, scenarios, margin / 100)
            for own in (first, number - first)
        ]
        is_shown = np.maximum(*statistics) <= -NormalDist().inv_cdf(1 - SIGNIFICANCE_LEVEL)
        chances = _binomial_probabilities(first, number, 0.5)
        chance = _binomial_probabilities(np.array([number]), scenarios, changed)[0]
        total += float(chance * chances[is_shown].sum())
    return total


def _tango_statistic(first: Integers, second: Integers, size: int, gap: float) -> Floats:
    """Return the score statistic of the gap, for scenarios that change in either direction."""
    linear = (2 * size - first + second) * gap - first - second
    constant = -second * gap * (1 - gap)
    share = (np.sqrt(linear**2 - 8 * size * constant) - linear) / (4 * size)
    return np.asarray((first - second - size * gap) / np.sqrt(size * (2 * share + gap * (1 - gap))))


def scenarios_for_equivalence(margin: float, power: float = 0.8, back: float = 0.0) -> int:
    """Return the number of scenarios at which `equivalence_power` reaches `power`.

    Raises ValueError as `equivalence_power`.
    """

    def own_power(size: int) -> float:
        return equivalence_power(size, margin, back)

    low = high = 1
    while own_power(high) < power:
        low, high = high, 2 * high
    sizes = range(low, high + 1)
    return sizes[bisect_left(sizes, power, key=own_power)]
