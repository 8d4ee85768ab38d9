"""Calibration of a judge's label probabilities: multinomial logistic regression with an L2 penalty.

The features are the logarithms of the four probabilities, so a judge whose ranking is right and
whose scale or prior is wrong becomes better, and a judge whose likelihoods carry no information
stays at chance (matrix scaling with a penalty: Guo et al., ICML 2017; Kull et al., NeurIPS 2019).
The penalty is chosen by cross-validation, and every label of an answer that the fit was made on is
predicted by a fit without its scenario.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label
from steertui.stats.rate import Estimate

Floats = NDArray[np.float64]

PENALTIES = (0.003, 0.03, 0.3, 3.0)
"""Candidate weights of the squared distance from the identity, per answer."""

FOLDS = 4
"""Groups of scenarios in a cross-validation."""

SMALLEST = 1e-6
"""Smallest probability whose logarithm is a feature."""

MIN_CLUSTERS = 2


@dataclass(frozen=True, slots=True)
class Calibration:
    """Map from the logarithms of four probabilities to calibrated ones.

    Attributes:
        slopes: 4 x 4; row i has the weights of the calibrated label i.
        offsets: one per label.
        penalty: weight of the penalty; 0 for a prior correction.
    """

    slopes: tuple[tuple[float, ...], ...]
    offsets: tuple[float, ...]
    penalty: float

    def apply(self, probabilities: Sequence[float]) -> tuple[float, ...]:
        """Return the calibrated probabilities in `Label`'s order; they sum to 1."""
        logits = np.asarray(self.slopes) @ _features([probabilities])[0] + np.asarray(self.offsets)
        powers = np.exp(logits - logits.max())
        return tuple(float(p) for p in powers / powers.sum())


@dataclass(frozen=True, slots=True)
class LabelledProbabilities:
    """An answer with a known label, for a fit.

    Attributes:
        probabilities: of the judge, in `Label`'s order.
        known: the known label.
        scenario: the cluster that is left out as a whole.
    """

    probabilities: tuple[float, ...]
    known: Label
    scenario: Hashable


Fit = Callable[[Sequence[LabelledProbabilities]], Calibration]


def fit_calibration(items: Sequence[LabelledProbabilities]) -> Calibration:
    """Return the calibration fitted on all items, with the penalty that cross-validates best."""
    losses = [_cross_validated_loss(items, penalty) for penalty in PENALTIES]
    return _fit(items, PENALTIES[int(np.argmin(losses))])


def fit_prior(items: Sequence[LabelledProbabilities]) -> Calibration:
    """Return the prior correction: the offsets alone, by maximum likelihood.

    One pseudo-count per label keeps them finite.
    """
    return _fit(items, None)


def cross_validated(items: Sequence[LabelledProbabilities], fit: Fit) -> list[tuple[float, ...]]:
    """Return each item's calibrated probabilities by a fit without its scenario."""
    folds = _folds(items)
    fits = {
        fold: fit([item for item, own in zip(items, folds, strict=True) if own != fold])
        for fold in sorted(set(folds))
    }
    return [fits[f].apply(item.probabilities) for item, f in zip(items, folds, strict=True)]


def accuracy_gain(
    before: Sequence[bool], after: Sequence[bool], clusters: Sequence[Hashable]
) -> Estimate | None:
    """Return the mean of after - before in percentage points with 95 % limits.

    Clusters are independent: sandwich variance of the mean with Student's t for the number of
    clusters (Cameron and Miller, Journal of Human Resources 50, 2015, 317-372). Return None with
    fewer than two clusters.
    """
    sums: dict[Hashable, float] = {}
    mean = sum(a - b for a, b in zip(after, before, strict=True)) / len(before)
    for one, two, cluster in zip(before, after, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + (two - one) - mean
    number = len(sums)
    if number < MIN_CLUSTERS:
        return None
    from scipy.special import stdtrit

    error = sqrt(number / (number - 1) * sum(s * s for s in sums.values())) / len(before)
    # One answer more or less is the least that the data resolve.
    half = float(stdtrit(number - 1, 0.975)) * max(error, 1 / len(before) / 2)
    return Estimate(100 * mean, max(-100.0, 100 * (mean - half)), min(100.0, 100 * (mean + half)))


def _features(probabilities: Sequence[Sequence[float]]) -> Floats:
    logs = np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True), np.float64)


def _folds(items: Sequence[LabelledProbabilities]) -> list[int]:
    places = {scenario: i for i, scenario in enumerate(dict.fromkeys(i.scenario for i in items))}
    return [places[item.scenario] % FOLDS for item in items]


def _cross_validated_loss(items: Sequence[LabelledProbabilities], penalty: float) -> float:
    predicted = cross_validated(items, lambda own: _fit(own, penalty))
    order = list(Label)
    return -sum(
        float(np.log(max(p[order.index(item.known)], SMALLEST)))
        for p, item in zip(predicted, items, strict=True)
    )


def _fit(items: Sequence[LabelledProbabilities], penalty: float | None) -> Calibration:
    """Return the penalised fit; without a penalty the slopes are those of the identity."""
    from scipy.optimize import minimize

    size = len(Label)
    features = _features([item.probabilities for item in items])
    targets = np.eye(size)[[list(Label).index(item.known) for item in items]]
    identity = np.eye(size)
    free = size * size if penalty is not None else 0

    def loss(values: Floats) -> tuple[float, Floats]:
        slopes = values[:free].reshape(size, size) if free else identity
        offsets = values[free:]
        logits = features @ slopes.T + offsets
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        errors = (np.exp(logs) - targets) / len(items)
        pull = slopes - identity
        weight = penalty or 0.0
        value = -(targets * logs).sum() / len(items) + weight * (pull**2).sum() / 2
        value += (offsets**2).sum() / (2 * len(items))
        parts = [(errors.T @ features + weight * pull).ravel()] if free else []
        gradient = np.concatenate([*parts, errors.sum(axis=0) + offsets / len(items)])
        return float(value), gradient

    start = np.concatenate([identity.ravel()[:free], np.zeros(size)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    slopes = found[:free].reshape(size, size) if free else identity
    return Calibration(
        slopes=tuple(tuple(float(v) for v in row) for row in slopes),
        offsets=tuple(float(v) for v in found[free:]),
        penalty=penalty or 0.0,
    )
