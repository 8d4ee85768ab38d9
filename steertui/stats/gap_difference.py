"""A Contrast: how far two models, temperatures or judges differ, paired by scenario."""

from math import lcm, sqrt

from steertui.stats.gap import (
    Estimate,
    Gap,
    correlation,
    mover_limits,
    paired_limits,
    residuals,
    sign_flip_test,
)
from steertui.stats.rate import Cells, rate

FINEST = 10_000
"""Steps that a difference of rates is counted in where the samples' own would be finer."""

Pair = tuple[Cells, Cells]
"""A model's scenarios under the two conditions of its gap."""


def gap_difference(one: Pair, two: Pair, first: str, second: str) -> Gap:
    """Compare the gap of `one` with that of `two`; a positive difference is larger in `one`.

    The points use each rate's own valid items; the test uses the scenarios valid in all four.
    p: `sign_flip_test` over each scenario's difference of differences: exact where, for every
    scenario, the two could as well change places. Interval: square-and-add of the two gaps'
    own limits with their correlation over scenarios (Zou and Donner, Statistics in Medicine 27,
    2008); its coverage stands in benchmarks/COVERAGE.md.
    """
    moved = _shifts(one, two)
    points = low = high = None
    a, b = _estimate(one), _estimate(two)
    if a and b:
        points = a[0] - b[0]
        low, high = mover_limits(a, b, gap_correlation(one, two))
        low, high = max(-200.0, low), min(200.0, high)
    return Gap(
        first, second, points, low, high,
        pairs=len(moved),
        only_first=sum(shift > 0 for shift in moved),
        only_second=sum(shift < 0 for shift in moved),
        p=sign_flip_test(moved) if moved else None,
        samples=max((m for side in (*one, *two) for _, m in side.values()), default=1),
    )  # fmt: skip


def _shifts(one: Pair, two: Pair) -> list[int]:
    """Return each shared scenario's difference of differences, in whole steps."""
    sides = (*one, *two)
    shared = [name for name in one[0] if all(name in side for side in sides)]
    sizes = {side[name][1] for name in shared for side in sides}
    steps = min(lcm(*sizes), FINEST)
    found = []
    for name in shared:
        a, b, c, d = (side[name][0] * steps / side[name][1] for side in sides)
        found.append(round((a - b) - (c - d)))
    return found


def _estimate(pair: Pair) -> Estimate | None:
    a, b = rate(pair[0]), rate(pair[1])
    if a.value is None or b.value is None:
        return None
    low, high = paired_limits(a, b, correlation(*pair))
    return 100 * (a.value - b.value), 100 * low, 100 * high


def gap_correlation(one: Pair, two: Pair) -> float:
    """Return the correlation of two gaps over shared scenarios, from linearised residuals."""
    left, right = _pulls(one), _pulls(two)
    scale = sqrt(sum(e * e for e in left.values()) * sum(e * e for e in right.values()))
    product = sum(e * right[name] for name, e in left.items() if name in right)
    return product / scale if scale > 1e-12 else 0.0


def _pulls(pair: Pair) -> dict[str, float]:
    """Return by how much each scenario pulls the gap."""
    found: dict[str, float] = {}
    for side, sign in zip(pair, (1, -1), strict=True):
        total = sum(m for _, m in side.values())
        for name, residual in residuals(side).items():
            found[name] = found.get(name, 0.0) + sign * residual / total
    return found
