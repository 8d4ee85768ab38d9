"""Power: the smallest gap that a plan can show, and the scenarios that a smaller one needs."""

from bisect import bisect_left

FEWEST = 6
"""Scenarios that must move, all one way, before the exact test can give p <= 0.05."""


def smallest_gap(scenarios: int, power: float = 0.8) -> float | None:
    """Return the least true gap, in points, that the exact test shows with this power.

    At best, that is: no scenario moves the other way, all pairs are valid, one sample each.
    Six scenarios must move for p <= 0.05 (2 x 0.5^6 = 0.031), so this solves P(Binomial(n, gap)
    >= 6) = power by scipy's inverse of the incomplete beta function. None below six scenarios.
    """
    if scenarios < FEWEST:
        return None
    from scipy.special import betaincinv

    return 100 * float(betaincinv(FEWEST, scenarios - FEWEST + 1, power))


def scenarios_for(points: float, power: float = 0.8) -> int:
    """Return how many scenarios `smallest_gap` needs to show a gap of this many points.

    Raises ValueError for points outside 0 < points <= 100.
    """
    if not 0 < points <= 100:
        raise ValueError(f"{points} points: a gap to plan for lies above 0 and at most at 100")
    sizes = range(FEWEST, 10**9)
    return sizes[bisect_left(sizes, -points, key=lambda size: -(smallest_gap(size, power) or 0))]
