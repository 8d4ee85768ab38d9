"""Variance split of a gap over scenarios, wordings, samples and judges, and what to buy next.

Miller, Adding Error Bars to Evals (arXiv 2411.00640, sections 3 and 5), splits the variance of a
score into questions and samples of one question; wordings and judges are added as crossed random
factors. Each part is a part of the variance of the estimated gap. With the numbers n of scenarios,
K of wordings, R of samples and J of judges it falls as (the gap is that of one judge, J = 1)

    scenarios    1 / n
    wordings     1 / K
    interaction  1 / (n K)
    samples      1 / (n K R)
    judges       1 / J
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import variance

from steertui.stats.crossed import Arm, Wordings, measure_arm, scenario_names
from steertui.stats.simultaneous import MIN_PAIRS

MIN_JUDGES = 3
"""Judges below which their part is not given: the variance of two gaps has one degree of
freedom."""


class Factor(StrEnum):
    """What more of can be bought."""

    SCENARIOS = "scenarios"
    WORDINGS = "wordings"
    SAMPLES = "samples"
    JUDGES = "judges"


@dataclass(frozen=True, slots=True)
class VarianceSplit:
    """Parts of the variance of an estimated gap, squared percentage points.

    A part that the data cannot show is None. With one sample per scenario, the part of samples is
    contained in that of scenarios, or in the interaction with several wordings. With one wording or
    one judge, their part is in none: the gap then speaks of these very texts and this judge.

    Attributes:
        scenarios: differences between scenarios.
        interaction: differences between scenarios that depend on the wording.
        wordings: differences between wordings.
        samples: differences between answers to one prompt.
        judges: variance of one judge's gap about the mean gap of judges like these; None with
            fewer than `MIN_JUDGES`.
        number: of scenarios from which the parts are estimated.
        scenario_limits: approximate 95 % limits of the scenarios' part in the sum of scenarios and
            samples, 0 to 1; None with several wordings of a condition, or unless both parts are
            known and the answers to one prompt vary.
    """

    scenarios: float
    interaction: float
    wordings: float | None
    samples: float | None
    judges: float | None
    number: int
    scenario_limits: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        """Variance of the estimate, squared percentage points."""
        parts = (self.wordings, self.samples, self.judges)
        return self.scenarios + self.interaction + sum(part or 0.0 for part in parts)

    @property
    def standard_error(self) -> float:
        """Standard error of the estimate, percentage points."""
        return sqrt(self.total)

    @property
    def shares(self) -> dict[Factor, float | None]:
        """Part of each factor in the total variance, 0 to 1; the interaction is in wordings."""
        total = self.total or 1.0
        wordings = None if self.wordings is None else self.wordings + self.interaction
        parts = {
            Factor.SCENARIOS: self.scenarios,
            Factor.WORDINGS: wordings,
            Factor.SAMPLES: self.samples,
            Factor.JUDGES: self.judges,
        }
        return {name: None if part is None else part / total for name, part in parts.items()}

    def error_with_twice(self, factor: Factor) -> float | None:
        """Return the standard error with twice as many of a factor, percentage points.

        Return None if the data do not show the factor's part.
        """
        if self.shares[factor] is None:
            return None
        return sqrt(self.variance_with(**{str(factor): 2.0}))

    def variance_with(
        self,
        *,
        scenarios: float = 1.0,
        wordings: float = 1.0,
        samples: float = 1.0,
        judges: float = 1.0,
    ) -> float:
        """Return the variance of the estimate with multiples of these numbers.

        In squared percentage points. Infinitely many judges leave their part out.
        """
        cells = scenarios * wordings
        return (
            self.scenarios / scenarios
            + self.interaction / cells
            + (self.wordings or 0.0) / wordings
            + (self.samples or 0.0) / (cells * samples)
            + (self.judges or 0.0) / judges
        )


def split_variance(
    one: Wordings, two: Wordings, judges: Sequence[float] = ()
) -> VarianceSplit | None:
    """Return the variance split of the gap between two arms (moment estimates, 0 at least).

    `judges` has the gap under each judge of the same answers, percentage points. Return None
    without a valid answer for a wording, or with fewer than `MIN_PAIRS` scenarios.
    """
    scenarios = scenario_names(one, two)
    if len(scenarios) < MIN_PAIRS:
        return None
    first, second = (measure_arm(side, scenarios) for side in (one, two))
    if first is None or second is None:
        return None
    arms = (first, second)
    number = len(scenarios)
    influence = first.influence - second.influence
    over_scenarios = float((influence**2).sum()) * number / (number - 1)
    is_sampled = all(arm.sampling is not None for arm in arms)
    samples = sum(arm.sampling or 0.0 for arm in arms) if is_sampled else 0.0
    interaction = sum(_interaction(arm, is_sampled) for arm in arms)
    # By chance the parts can exceed their sum; they are then scaled down to it.
    scale = min(1.0, over_scenarios / (samples + interaction)) if samples + interaction else 1.0
    has_wordings = any(arm.wordings > 1 for arm in arms)
    return VarianceSplit(
        scenarios=1e4 * (over_scenarios - scale * (samples + interaction)),
        interaction=1e4 * scale * interaction,
        wordings=1e4 * sum(arm.wording_variance for arm in arms) if has_wordings else None,
        samples=1e4 * scale * samples if is_sampled else None,
        judges=variance(judges) if len(judges) >= MIN_JUDGES else None,
        number=number,
        scenario_limits=None if has_wordings else _scenario_limits(over_scenarios, number, arms),
    )


def _scenario_limits(
    over_scenarios: float, number: int, arms: Sequence[Arm]
) -> tuple[float, float] | None:
    """Return approximate 95 % limits of the scenarios' share, from F of between and within.

    `over_scenarios` is the variance of the gap, proportions squared. The degrees of freedom of the
    samples are Satterthwaite's over both arms. The share is 1 - 1 / ratio of the variances (Searle,
    Casella and McCulloch, Variance Components, 1992, section 3.6), not below 0.
    """
    from scipy.special import fdtri

    known = [(arm.sampling or 0.0, arm.sampling_degrees) for arm in arms]
    within = sum(part for part, _ in known)
    if within <= 0 or over_scenarios <= 0 or not all(degrees for _, degrees in known):
        return None
    degrees = within**2 / sum(part**2 / own for part, own in known)
    ratio = over_scenarios / within
    quantiles = (float(fdtri(number - 1, degrees, p)) for p in (0.975, 0.025))
    low, high = (max(0.0, 1 - quantile / ratio) for quantile in quantiles)
    return low, high


def _interaction(arm: Arm, is_sampled: bool) -> float:
    """Return the variance of an arm's cells beyond sampling, 0 with one wording."""
    if arm.wordings < 2:
        return 0.0
    sampling = arm.sampling if is_sampled and arm.sampling is not None else 0.0
    return max(0.0, arm.cells - sampling)
