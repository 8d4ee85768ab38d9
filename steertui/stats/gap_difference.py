"""Difference of two gaps: models, temperatures or judges compared, paired by scenario."""

from math import lcm, sqrt

from steertui.stats.gap import (
    MAX_STEPS,
    Gap,
    GapCounts,
    gap_estimate,
    linearised_residuals,
    most_samples,
    mover_limits,
    tested_gap,
)
from steertui.stats.rate import Z95, Estimate


def gap_difference(one: GapCounts, two: GapCounts, first: str, second: str) -> Gap:
    """Return the gap of `one` minus the gap of `two`, in percentage points.

    The points use all valid items of each rate; the test uses the scenarios that are valid under
    both conditions of both gaps. p value: `sign_flip_test` on each scenario's difference of
    differences, exact if `one` and `two` are exchangeable within every scenario. Interval: MOVER on
    the two gaps' limits with their correlation over scenarios (Zou and Donner, Statistics in
    Medicine 27, 2008); measured coverage: benchmarks/COVERAGE.md.
    """
    estimate = gap_difference_estimate(one, two)
    differences = _differences_of_differences(one, two)
    samples = most_samples(*one, *two)
    shares = _differences_of_shares(one, two)
    return tested_gap((first, second), estimate, differences, samples, shares=shares)


def gap_difference_estimate(one: GapCounts, two: GapCounts, z: float = Z95) -> Estimate | None:
    """Return the difference of two gaps with its limits, 95 % by default, in percentage points.

    None unless all four rates exist. `z` is as for `gap_estimate`.
    """
    a = gap_estimate(one, z)
    b = gap_estimate(two, z)
    if a is None or b is None:
        return None
    low, high = mover_limits(a, b, gap_correlation(one, two))
    return Estimate(a.value - b.value, max(-200.0, low), min(200.0, high))


def _differences_of_differences(one: GapCounts, two: GapCounts) -> list[int]:
    """Return each shared scenario's difference of differences, in steps of a common denominator."""
    shared = _valid_in_all(one, two)
    sizes = {side[name][1] for side in (*one, *two) for name in shared}
    steps = min(lcm(*sizes), MAX_STEPS)
    return [round(steps * share) for share in _differences_of_shares(one, two)]


def _differences_of_shares(one: GapCounts, two: GapCounts) -> list[float]:
    """Return each shared scenario's difference of differences of shares, -2 to 2."""
    differences = []
    for name in _valid_in_all(one, two):
        a, b, c, d = (side[name][0] / side[name][1] for side in (*one, *two))
        differences.append((a - b) - (c - d))
    return differences


def _valid_in_all(one: GapCounts, two: GapCounts) -> list[str]:
    """Return the scenarios that are valid on all four sides."""
    return [name for name in one[0] if all(name in side for side in (one[1], *two))]


def gap_correlation(one: GapCounts, two: GapCounts) -> float:
    """Return the correlation of two gaps over shared scenarios, from linearised residuals."""
    left = _gap_residuals(one)
    right = _gap_residuals(two)
    scale = sqrt(sum(e * e for e in left.values()) * sum(e * e for e in right.values()))
    product = sum(e * right[name] for name, e in left.items() if name in right)
    return product / scale if scale > 1e-12 else 0.0


def _gap_residuals(counts: GapCounts) -> dict[str, float]:
    """Return each scenario's contribution to the gap's linearised error."""
    residuals: dict[str, float] = {}
    for side, sign in zip(counts, (1, -1), strict=True):
        total = sum(m for _, m in side.values())
        for name, residual in linearised_residuals(side).items():
            residuals[name] = residuals.get(name, 0.0) + sign * residual / total
    return residuals
