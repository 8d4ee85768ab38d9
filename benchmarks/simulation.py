"""Parts of the coverage simulations: normal thresholds, counts by scenario, table cells."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from steertui.stats.rate import ScenarioCounts

ACCEPTED = (93.5, 97.0)
"""Coverage in per cent that is not printed in bold."""

SCENARIOS = 71

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def threshold(rate: float) -> float:
    """Return the normal quantile above which an answer converges."""
    return NormalDist().inv_cdf(1 - rate)


def counts(converged: Flags, valid: Flags | None = None) -> ScenarioCounts:
    """Return the counts of answers of shape (scenarios, samples), without empty scenarios."""
    if valid is None:
        valid = np.ones_like(converged)
    pairs = zip((converged & valid).sum(1).tolist(), valid.sum(1).tolist(), strict=True)
    return {str(i): pair for i, pair in enumerate(pairs) if pair[1]}


def covers(low: float | None, high: float | None, truth: float) -> bool:
    """Whether an interval contains the truth; an interval that does not exist does not."""
    return low is not None and high is not None and low - 1e-9 <= truth <= high + 1e-9


def cell(value: float) -> str:
    """Return a coverage in per cent, in bold outside of `ACCEPTED`."""
    is_accepted = ACCEPTED[0] <= value <= ACCEPTED[1]
    return f"{value:.1f}" if is_accepted else f"**{value:.1f}**"
