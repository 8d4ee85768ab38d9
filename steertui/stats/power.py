"""Power: the smallest gap that a plan can show, and the scenarios that a smaller one needs."""

from bisect import bisect_left
from math import ceil, log2

from steertui.stats.gap import LEVEL


def min_discordant(tests: int = 1) -> int:
    """Return how many scenarios must move, all one way, before the exact test can give p <= 0.05.

    With `tests` comparisons in one table, p is Holm's, whose factor for the smallest is their
    number: tests x 2 x 0.5^k <= 0.05. Six for one, seven for three, eight for six.
    """
    return ceil(log2(2 * tests / LEVEL))


def minimum_detectable_gap(scenarios: int, power: float = 0.8, tests: int = 1) -> float | None:
    """Return the least true gap, in points, that the exact test shows with this power, though none
    of the other comparisons in its table shows anything.

    At best, that is: no scenario moves the other way, all pairs are valid, one sample each.
    `min_discordant` of them must move, so this solves P(Binomial(n, gap) >= k) = power by scipy's
    inverse of the incomplete beta function. None below that many scenarios.
    """
    moved = min_discordant(tests)
    if scenarios < moved:
        return None
    from scipy.special import betaincinv

    return 100 * float(betaincinv(moved, scenarios - moved + 1, power))


def scenarios_needed(points: float, power: float = 0.8, tests: int = 1) -> int:
    """Return how many scenarios `minimum_detectable_gap` needs to show a gap of this many points.

    Raises ValueError for points outside 0 < points <= 100.
    """
    if not 0 < points <= 100:
        raise ValueError(f"{points} points: a gap to plan for lies above 0 and at most at 100")
    sizes = range(min_discordant(tests), 10**9)

    def shown(size: int) -> float:
        return -(minimum_detectable_gap(size, power, tests) or 0)

    return sizes[bisect_left(sizes, -points, key=shown)]
