"""Matched strength: the dose whose rate, or whose cost, equals that of another condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steertui.stats.coherence import ScenarioSums

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

RESAMPLES = 2000
"""Bootstrap resamples of scenarios."""


@dataclass(frozen=True, slots=True)
class MatchedDose:
    """Dose whose rate, or whose cost, equals that of a target condition.

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
    counts: Sequence[ScenarioSums],
    target: ScenarioSums,
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

    rates, resampled = _means([*counts, target], seed)
    sides = _sides(doses)
    curves = [_toward_target(rates[:, [*side, -1]]) for side in sides]
    found = [
        _crossing([doses[i] for i in side], curve)[0]
        for side, curve in zip(sides, curves, strict=True)
    ]
    distance = [abs(dose) if not np.isnan(dose) else np.inf for dose in found]
    if np.isinf(distance).all():
        distance = [min(abs(rates[0, side] - rates[0, -1])) for side in sides]
    nearest = int(np.argmin(distance))
    side = sides[nearest]
    crossings = _crossing([doses[i] for i in side], _toward_target(resampled[:, [*side, -1]]))
    scenarios = len({name for each in (*counts, target) for name in each})
    return _match(float(found[nearest]), crossings, doses[side[-1]], scenarios)


def matched_costs(
    doses: Sequence[float],
    costs: Sequence[ScenarioSums],
    target: ScenarioSums,
    seed: int = 0,
) -> list[MatchedDose]:
    """Return the dose with the same mean cost as the target, upward from 0 and then downward.

    As `matched_dose`, but a cost rises with the distance from 0 in either direction. A side without
    doses is left out. A target that costs no more than dose 0 is matched by dose 0.

    Args:
        doses: increasing, with 0.
        costs: by dose.
        target: of the other condition.
        seed: of the bootstrap.
    """
    means, resampled = _means([*costs, target], seed)
    scenarios = len({name for each in (*costs, target) for name in each})
    matches = []
    for side in _sides(doses):
        own = [doses[i] for i in side]
        dose = _crossing(own, means[:, [*side, -1]])[0]
        crossings = _crossing(own, resampled[:, [*side, -1]])
        matches.append(_match(float(dose), crossings, own[-1], scenarios))
    return matches


def _match(dose: float, crossings: "Floats", strongest: float, scenarios: int) -> MatchedDose:
    import numpy as np

    sign = 1 if strongest > 0 else -1
    far = np.where(np.isnan(crossings), np.inf, crossings * sign)
    low, high = np.quantile(far, [0.025, 0.975], method="inverted_cdf")
    return MatchedDose(
        dose=None if np.isnan(dose) else dose,
        low=float(sign * low) if np.isfinite(low) else None,
        high=float(sign * high) if np.isfinite(high) else None,
        absent=float(np.isnan(crossings).mean()),
        scenarios=scenarios,
    )


def _means(sums: Sequence[ScenarioSums], seed: int) -> "tuple[Floats, Floats]":
    """Return the mean of each condition, shape (1, conditions), and of each bootstrap resample."""
    import numpy as np

    names = sorted({name for each in sums for name in each})
    pairs = np.array([[each.get(name, (0, 0)) for each in sums] for name in names], float)
    totals, numbers = pairs[:, :, 0], pairs[:, :, 1]
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    means = totals.sum(0) / np.maximum(numbers.sum(0), 1)
    return means[None, :], (weights @ totals) / np.maximum(weights @ numbers, 1)


def _sides(doses: Sequence[float]) -> list[list[int]]:
    """Return the indices of the doses from 0 upward, and from 0 downward, if there are any."""
    anchor = doses.index(0)
    sides = [[*range(anchor, len(doses))], [*range(anchor, -1, -1)]]
    return [side for side in sides if len(side) > 1]


def _toward_target(rates: "Floats") -> "Floats":
    """Return rates negated in each row whose target, the last column, is below its first rate."""
    import numpy as np

    return np.asarray(rates * np.where(rates[:, -1:] >= rates[:, :1], 1.0, -1.0))


def _crossing(doses: Sequence[float], values: "Floats") -> "Floats":
    """Return the dose at which each row's values, made non-decreasing, reach its last column.

    `doses` are those of one side, from 0 outward; `values` has shape (rows, doses + 1). NaN if no
    dose does.
    """
    import numpy as np

    aim = values[:, -1]
    rising = _monotone(values[:, :-1])
    found = np.full(len(values), np.nan)
    found[rising[:, 0] >= aim] = 0.0
    for i in range(1, len(doses)):
        below, above = rising[:, i - 1], rising[:, i]
        is_first = np.isnan(found) & (above >= aim)
        share = (aim - below) / np.where(above > below, above - below, 1.0)
        found = np.where(is_first, doses[i - 1] + share * (doses[i] - doses[i - 1]), found)
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
