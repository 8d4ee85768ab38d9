"""Coherence of answers: measures by scenario, and the limits that an axis declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from statistics import fmean, stdev

from steertui.core.grouping import CoherenceLimits
from steertui.stats.sign_flips import sign_flip_p

ScenarioSums = Mapping[str, tuple[float, int]]
"""By scenario: the sum of a measure over its answers, and their number, at least 1."""

ROUNDING = 1e-9
"""Difference of shares or of nats that counts as none."""


class CoherenceMeasure(StrEnum):
    """Measure of coherence that an axis may limit."""

    NONSENSE = "nonsense"
    """Share of nonsensical answers among all judged ones."""
    REPETITION = "repetition"
    """Share of repeated sequences of words within an answer."""
    LOGLIK = "log-likelihood"
    """Log-likelihood of an answer under the unsteered model."""


@dataclass(frozen=True, slots=True)
class AnswerMeasures:
    """Measures of a condition's answers that need no judge.

    Attributes:
        repetition: share of repeated sequences of words in an answer, from 0 to 1.
        loglik: log-likelihood of an answer under the unsteered model, in nats per token; answers
            without tokens, and those that were not scored, are absent.
        answers: their number.
        unscored: number of answers that were not scored.
    """

    repetition: ScenarioSums = field(default_factory=dict)
    loglik: ScenarioSums = field(default_factory=dict)
    answers: int = 0
    unscored: int = 0


@dataclass(frozen=True, slots=True)
class CoherenceMeans:
    """Means over the answers of one condition.

    Attributes:
        nonsense: share of nonsensical answers, from 0 to 1; None without a judged answer.
        repetition: mean share of repeated sequences; None without an answer.
        loglik: mean log-likelihood in nats per token; None if no answer was scored.
    """

    nonsense: float | None
    repetition: float | None
    loglik: float | None

    def exceeded(
        self, anchor: "CoherenceMeans", limits: CoherenceLimits
    ) -> tuple[CoherenceMeasure, ...]:
        """Return the measures that are not within the limits, compared with those of dose 0.

        A limited measure that is unknown is not within its limit.
        """
        return tuple(
            measure
            for measure, (rise, limit) in self._limited_rises(anchor, limits).items()
            if rise is None or rise > limit + ROUNDING
        )

    def unknown(
        self, anchor: "CoherenceMeans", limits: CoherenceLimits
    ) -> tuple[CoherenceMeasure, ...]:
        """Return the limited measures that are unknown here or at dose 0."""
        rises = self._limited_rises(anchor, limits)
        return tuple(measure for measure, (rise, _) in rises.items() if rise is None)

    def _limited_rises(
        self, anchor: "CoherenceMeans", limits: CoherenceLimits
    ) -> dict[CoherenceMeasure, tuple[float | None, float]]:
        """Return the rise from dose 0 and its limit, of each measure that has a limit."""
        rises = {
            CoherenceMeasure.NONSENSE: (_rise(anchor.nonsense, self.nonsense), limits.nonsense),
            CoherenceMeasure.REPETITION: (
                _rise(anchor.repetition, self.repetition),
                limits.repetition,
            ),
            CoherenceMeasure.LOGLIK: (_rise(self.loglik, anchor.loglik), limits.loss),
        }
        return {
            measure: (rise, limit) for measure, (rise, limit) in rises.items() if limit is not None
        }


@dataclass(frozen=True, slots=True)
class PairedMean:
    """Mean over scenarios of the difference of two conditions in a measure.

    Attributes:
        mean: in the unit of the measure.
        level: confidence level of the limits, 0 to 1.
        low: lower limit, by Student's t over scenarios; None with fewer than two scenarios.
        high: upper limit.
        p: two-sided p value (`sign_flip_p`); 1 without a scenario.
        scenarios: those with an answer under both conditions.
    """

    mean: float
    level: float
    low: float | None
    high: float | None
    p: float
    scenarios: int


def paired_mean(first: ScenarioSums, second: ScenarioSums, level: float = 0.05) -> PairedMean:
    """Return the mean of first minus second; 0 without a scenario under both.

    `level` is the significance level of the limits.
    """
    from scipy.special import stdtrit

    shared = [name for name in first if name in second]
    values = [first[n][0] / first[n][1] - second[n][0] / second[n][1] for n in shared]
    p = sign_flip_p([Fraction(value) for value in values]) if values else 1.0
    mean = fmean(values) if values else 0.0
    if len(values) < 2:
        return PairedMean(mean, 1 - level, None, None, p=p, scenarios=len(values))
    quantile = float(stdtrit(len(values) - 1, 1 - level / 2))
    half = quantile * stdev(values) / sqrt(len(values))
    limits = mean - half, mean + half
    return PairedMean(mean, 1 - level, *limits, p=p, scenarios=len(values))


def mean_of(sums: ScenarioSums) -> float | None:
    """Return the mean over all answers; None without any."""
    number = sum(count for _, count in sums.values())
    return sum(total for total, _ in sums.values()) / number if number else None


def _rise(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else second - first
