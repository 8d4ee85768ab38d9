"""Power of the exact McNemar test: minimum detectable gap, scenarios needed."""

from bisect import bisect_left
from math import ceil, log2

from steertui.stats.significance import SIGNIFICANCE_LEVEL


def min_discordant(tests: int = 1) -> int:
    """Return the smallest number of discordant scenarios at which p <= 0.05 is possible.

    All of them must change in the same direction. With `tests` comparisons in a table, Holm's
    factor for the smallest p value is their number: tests * 2 * 0.5^k <= 0.05. The result is 6
    for one test, 7 for three, 8 for six.
    """
    return ceil(log2(2 * tests / SIGNIFICANCE_LEVEL))


def minimum_detectable_gap(scenarios: int, power: float = 0.8, tests: int = 1) -> float | None:
    """Return the minimum detectable gap of the exact McNemar test, in percentage points.

    Best case: no scenario changes in the other direction, all pairs are valid, one sample per
    scenario, and no other of the `tests` comparisons in the table is significant. The gap solves
    P(Binomial(scenarios, gap) >= min_discordant) = power by scipy's inverse incomplete beta
    function. Return None with fewer than `min_discordant` scenarios.
    """
    discordant = min_discordant(tests)
    if scenarios < discordant:
        return None
    from scipy.special import betaincinv

    return 100 * float(betaincinv(discordant, scenarios - discordant + 1, power))


def scenarios_needed(points: float, power: float = 0.8, tests: int = 1) -> int:
    """Return the number of scenarios at which `minimum_detectable_gap` is at most `points`.

    Raises ValueError unless 0 < points <= 100.
    """
    if not 0 < points <= 100:
        raise ValueError(f"gap of {points} points: must be above 0 and at most 100")
    sizes = range(min_discordant(tests), 10**9)

    def negative_gap(size: int) -> float:
        return -(minimum_detectable_gap(size, power, tests) or 0)

    return sizes[bisect_left(sizes, -points, key=negative_gap)]
