"""Crossed variance components of one arm: scenarios x wordings of one intent.

A wording's convergence rate is a ratio over scenarios. Each cell's contribution to the mean of the
rates is linearised (Cochran, Sampling Techniques, 3rd ed., section 6.3), and the components are
those of the two-way analysis of variance without replication. Without missing cells they equal its
mean squares (Searle, Casella and McCulloch, Variance Components, 1992, section 4.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steertui.stats.rate import ScenarioCounts

Floats = NDArray[np.float64]

Wordings = Sequence[ScenarioCounts]
"""Counts of one condition by scenario, one entry per wording of an arm."""


@dataclass(frozen=True, slots=True)
class Arm:
    """The mean rate over the wordings of one arm; rates and errors are proportions.

    Attributes:
        rates: convergence rate of each wording.
        influence: by scenario its contribution to the error of the mean rate; 0 without a valid
            answer.
        between: variance of the mean rate over wordings like these; 0 with one wording.
        cells: part of `between` that is not due to the wordings but to the cells' own variation:
            sampling, and the interaction of scenario and wording; 0 with one wording.
        sampling: part of the mean rate's variance that is due to sampling several answers; None
            without a cell with several.
        sampling_degrees: degrees of freedom of `sampling`: by cell the answers beyond the first.
    """

    rates: tuple[float, ...]
    influence: Floats
    between: float
    cells: float
    sampling: float | None
    sampling_degrees: int

    @property
    def wordings(self) -> int:
        """Number of wordings."""
        return len(self.rates)

    @property
    def mean(self) -> float:
        """Mean of the wordings' rates."""
        return float(np.mean(self.rates))

    @property
    def wording_variance(self) -> float:
        """Part of the mean rate's variance that is due to the choice of these wordings."""
        return max(0.0, self.between - self.cells)


def measure_arm(wordings: Wordings, scenarios: Sequence[str]) -> Arm | None:
    """Return the mean rate of an arm over its wordings, with its variance components.

    `scenarios` has the names of all scenarios, at least two. Return None without wordings or if one
    has no valid answer.
    """
    count, total = (_matrix(wordings, scenarios, part) for part in (0, 1))
    size = len(wordings)
    sums = total.sum(axis=0)
    if not size or not np.all(sums):
        return None
    rates = count.sum(axis=0) / sums
    errors = (count - rates * total) / sums
    between = cells = 0.0
    if size > 1:
        rest = errors - errors.mean(axis=1, keepdims=True)
        number = len(scenarios)
        between = float(np.var(rates, ddof=1)) / size
        cells = float((rest**2).sum()) * number / (number - 1) / (size * (size - 1))
    return Arm(
        rates=tuple(float(rate) for rate in rates),
        influence=errors.mean(axis=1),
        between=between,
        cells=cells,
        sampling=_sampling_variance(count, total),
        sampling_degrees=int(np.maximum(total - 1, 0).sum()),
    )


def scenario_names(*sides: Wordings) -> list[str]:
    """Return the names of all scenarios of some arms, in the order of their first appearance."""
    return [*dict.fromkeys(name for side in sides for counts in side for name in counts)]


def _matrix(wordings: Wordings, scenarios: Sequence[str], part: int) -> Floats:
    rows = [[counts.get(name, (0, 0))[part] for counts in wordings] for name in scenarios]
    return np.array(rows, np.float64).reshape(len(scenarios), len(wordings))


def _sampling_variance(count: Floats, total: Floats) -> float | None:
    """Return the variance of the mean rate due to sampling, from cells with several answers.

    Cells with one answer get the mean variance of the others, by their weight.
    """
    several = total > 1
    if not several.any():
        return None
    answers = np.maximum(total, 2)
    variance = count * (total - count) / answers / (answers - 1)
    weight = total / (total.sum(axis=0) ** 2)
    known = float((weight * variance)[several].sum())
    share = float(weight[several].sum() / weight.sum())
    return known / share / float(count.shape[1] ** 2)
