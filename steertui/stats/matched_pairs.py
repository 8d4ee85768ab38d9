"""Matched pairs with one sample per scenario: cells, odds ratio, Bayesian posterior."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from steertui.stats.agreement import clopper_pearson_interval
from steertui.stats.gap import shared_scenarios
from steertui.stats.rate import Estimate, ScenarioCounts

JEFFREYS_PRIOR = 0.5
"""Dirichlet parameter of each cell in Jeffreys' prior of a multinomial distribution."""

NODES = 200
"""Values of psi over which the posterior is averaged; they are denser in its tails."""


class PairedCells(NamedTuple):
    """Number of scenarios by where they converge; `first` and `second` are the conditions."""

    both: int
    only_first: int
    only_second: int
    neither: int


@dataclass(frozen=True, slots=True)
class PairedPosterior:
    """Posterior of a gap.

    Attributes:
        above_zero: posterior probability that the gap is above 0, 0 to 1.
        gap: posterior median with the central 95 % credible interval, percentage points.
    """

    above_zero: float
    gap: Estimate


def paired_cells(one: ScenarioCounts, two: ScenarioCounts) -> PairedCells | None:
    """Return the 2 x 2 table over the scenarios that are valid on both sides.

    Return None without such a scenario, or if one has several samples: it may then be between the
    cells.
    """
    one, two = shared_scenarios(one, two)
    if not one or any(m != 1 for side in (one, two) for _, m in side.values()):
        return None
    pairs = [(one[name][0], two[name][0]) for name in one]
    return PairedCells(*(pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))))


def matched_odds_ratio(only_first: int, only_second: int) -> Estimate | None:
    """Return the matched odds ratio only_first / only_second with its exact 95 % limits.

    It is the ratio of the odds of convergence under the two conditions within a scenario
    (conditional maximum likelihood; Breslow and Day, Statistical Methods in Cancer Research 1,
    1980, section 5.2). Given the number of scenarios that converge under one condition only, those
    under the first are binomial with probability odds ratio / (1 + odds ratio): the limits are
    Clopper and Pearson's, transformed. They exclude 1 exactly if McNemar's exact p value is at
    most 0.05. Values are in 0 to infinity. Return None if no scenario converges under one condition
    only.
    """
    total = only_first + only_second
    if not total:
        return None
    low, high = clopper_pearson_interval(only_first, total)
    return Estimate(_odds(only_first / total), _odds(low), _odds(high))


def paired_posterior(cells: PairedCells) -> PairedPosterior:
    """Return the posterior of the gap under Jeffreys' prior on the four cells.

    The prior is Dirichlet(1/2, 1/2, 1/2, 1/2) (Jeffreys, Theory of Probability, 3rd ed., 1961,
    section 3.6), so the share of scenarios that converge under one condition only, psi, is
    Beta(only_first + only_second + 1, both + neither + 1), the first condition's part of them, pi,
    is independently Beta(only_first + 1/2, only_second + 1/2), and the gap is psi (2 pi - 1). Its
    distribution function is the mean over psi of pi's, by a quadrature over the quantiles of psi
    with nodes that are denser in the tails; limits are exact to 0.02 points. Also defined without
    scenarios, where it is the prior.
    """
    from scipy.optimize import brentq
    from scipy.special import betainc, betaincinv

    first = cells.only_first + JEFFREYS_PRIOR
    second = cells.only_second + JEFFREYS_PRIOR
    below_zero = float(betainc(first, second, 0.5))
    changed = cells.only_first + cells.only_second + 2 * JEFFREYS_PRIOR
    unchanged = cells.both + cells.neither + 2 * JEFFREYS_PRIOR
    angles = np.pi * (np.arange(NODES) + 0.5) / NODES
    weights = np.sin(angles) / np.sin(angles).sum()
    psi = np.maximum(betaincinv(changed, unchanged, (1 - np.cos(angles)) / 2), 1e-300)

    def quantile(share: float) -> float:
        def excess(value: float) -> float:
            pi = np.clip((1 + value / psi) / 2, 0.0, 1.0)
            return float(weights @ betainc(first, second, pi)) - share

        return float(brentq(excess, -1.0, 1.0, xtol=1e-9))

    limits = Estimate(quantile(0.5), quantile(0.025), quantile(0.975))
    return PairedPosterior(1 - below_zero, limits.percent())


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else float("inf")
