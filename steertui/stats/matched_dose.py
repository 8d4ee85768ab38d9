"""Matched strength: the dose of an axis whose rate equals that of another condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steertui.stats.rate import ScenarioCounts

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

RESAMPLES = 2000
"""Bootstrap resamples of scenarios."""


@dataclass(frozen=True, slots=True)
class MatchedDose:
    """Dose whose rate equals that of a target condition.

    Attributes:
        dose: the dose nearest to 0; None if none does.
        low: lower 95 % limit of its distance from 0, with its sign; None if no resample has one.
        high: upper 95 % limit; None if more than 2.5 % of the resamples have no such dose, so that
            the limit is beyond the strongest dose.
        absent: share of resamples in which no dose does, from 0 to 1.
        scenarios: number of scenarios.
    """

    dose: float | None
    low: float | None
    high: float | None
    absent: float
    scenarios: int


def matched_dose(
    doses: Sequence[float],
    counts: Sequence[ScenarioCounts],
    target: ScenarioCounts,
    seed: int = 0,
) -> MatchedDose:
    """Return the dose whose rate equals the target's, with a bootstrap interval over scenarios.

    The rates by dose are made monotone from 0 outward (pool adjacent violators) and interpolated
    linearly. The side of 0 is the one on which the rates cross the target's, the nearer crossing if
    both do; without one, the side that comes nearer. A resample without a crossing on that side
    counts as a dose beyond the strongest one. Measured coverage: benchmarks/COVERAGE.md.

    Args:
        doses: increasing, with 0.
        counts: by dose.
        target: of the other condition.
        seed: of the bootstrap.
    """
    import numpy as np

    names = sorted({name for each in (*counts, target) for name in each})
    hits, valid = _arrays([*counts, target], names)
    rates = hits.sum(0) / np.maximum(valid.sum(0), 1)
    sides = [side for side in _sides(doses) if len(side) > 1]
    found = [_crossing(doses, side, rates[None, :])[0] for side in sides]
    distance = [abs(dose) if not np.isnan(dose) else np.inf for dose in found]
    if np.isinf(distance).all():
        distance = [min(abs(rates[side] - rates[-1])) for side in sides]
    side = sides[int(np.argmin(distance))]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    resampled = (weights @ hits) / np.maximum(weights @ valid, 1)
    crossings = _crossing(doses, side, resampled)
    sign = 1 if doses[side[-1]] > 0 else -1
    far = np.where(np.isnan(crossings), np.inf, crossings * sign)
    low, high = np.quantile(far, [0.025, 0.975], method="inverted_cdf")
    dose = found[sides.index(side)]
    return MatchedDose(
        dose=None if np.isnan(dose) else float(dose),
        low=float(sign * low) if np.isfinite(low) else None,
        high=float(sign * high) if np.isfinite(high) else None,
        absent=float(np.isnan(crossings).mean()),
        scenarios=len(names),
    )


def _arrays(counts: Sequence[ScenarioCounts], names: Sequence[str]) -> "tuple[Floats, Floats]":
    """Return convergent and valid samples, shape (scenarios, conditions)."""
    import numpy as np

    pairs = np.array([[each.get(name, (0, 0)) for each in counts] for name in names], float)
    return pairs[:, :, 0], pairs[:, :, 1]


def _sides(doses: Sequence[float]) -> list[list[int]]:
    """Return the indices of the doses from 0 upward, and from 0 downward."""
    anchor = doses.index(0)
    return [[*range(anchor, len(doses))], [*range(anchor, -1, -1)]]


def _crossing(doses: Sequence[float], side: Sequence[int], rates: "Floats") -> "Floats":
    """Return the dose at which each row's monotone rates cross its last column; NaN for none.

    `rates` has shape (rows, doses + 1).
    """
    import numpy as np

    target = rates[:, -1]
    curve = rates[:, side]
    direction = np.where(target >= curve[:, 0], 1.0, -1.0)
    rising = _monotone(curve * direction[:, None])
    aim = target * direction
    found = np.full(len(rates), np.nan)
    found[rising[:, 0] >= aim] = 0.0
    for i in range(1, len(side)):
        below, above = rising[:, i - 1], rising[:, i]
        is_first = np.isnan(found) & (above >= aim)
        share = (aim - below) / np.where(above > below, above - below, 1.0)
        start, end = doses[side[i - 1]], doses[side[i]]
        found = np.where(is_first, start + share * (end - start), found)
    return found


def _monotone(curve: "Floats") -> "Floats":
    """Return the least-squares non-decreasing fit of each row, by the max-min formula.

    Robertson, Wright and Dykstra, Order Restricted Statistical Inference, 1988, section 1.4.
    """
    import numpy as np

    number = curve.shape[1]
    sums = np.concatenate([np.zeros((len(curve), 1)), np.cumsum(curve, 1)], axis=1)
    fitted = np.empty_like(curve)
    for k in range(number):
        means = [
            np.min([(sums[:, j + 1] - sums[:, i]) / (j + 1 - i) for j in range(k, number)], axis=0)
            for i in range(k + 1)
        ]
        fitted[:, k] = np.max(means, axis=0)
    return fitted
