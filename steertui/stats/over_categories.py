"""A Category's share in a gap: what the gap would be over other categories of this kind."""

from collections.abc import Mapping
from math import sqrt

from steertui.stats.gap import residuals
from steertui.stats.rate import Cells, rate


def limits_over_categories(
    one: Cells, two: Cells, category: Mapping[str, str]
) -> tuple[float, float] | None:
    """Return 95 % limits of the gap, in points, as a statement on categories like these.

    `category` is by scenario. Student's t on the linearised variance between categories (Cochran,
    Sampling Techniques, 6.3), one degree of freedom fewer than categories. A bootstrap over six
    categories holds the truth in 86 % instead of 95 % of experiments (benchmarks/COVERAGE.md),
    so there is none. None with fewer than two categories, without a rate on either side, or
    where all categories agree to the last item, which says nothing of others.
    """
    a, b = rate(one), rate(two)
    if a.value is None or b.value is None:
        return None
    pulls: dict[str, float] = {}
    for side, sign in ((one, 1 / a.total), (two, -1 / b.total)):
        for name, residual in residuals(side).items():
            pulls[category[name]] = pulls.get(category[name], 0.0) + sign * residual
    clusters, squares = len(pulls), sum(pull * pull for pull in pulls.values())
    if clusters < 2 or squares < 1e-18:
        return None
    from scipy.special import stdtrit

    points = 100 * (a.value - b.value)
    reach = 100 * float(stdtrit(clusters - 1, 0.975)) * sqrt(squares * clusters / (clusters - 1))
    return max(-100.0, points - reach), min(100.0, points + reach)
