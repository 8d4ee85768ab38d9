"""Position bias of a local judge toward places in the rubric's list of labels, and its removal.

Models prefer some positions in a list of options (Pezeshkpour and Hruschka, NAACL Findings 2024;
Zheng et al., ICLR 2024). An answer can therefore be judged under cyclic permutations of the list:
in rotation t the list begins with label t, and over four rotations each label has each position
once. Two corrections follow Zheng et al.: the mean over all rotations, and PriDe, which estimates
the prior of the positions from a sample and divides it out of the other answers.

Calibration by a content-free answer (Zhao et al., ICML 2021) or by the mean of all answers (Zhou
et al., ICLR 2024) does not apply: a content-free answer is correctly labelled nonsensical, and the
mean of all answers is what is to be measured.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose

import numpy as np
from numpy.typing import NDArray

from steertui.core.verdict import Label

ROTATIONS = len(Label)
"""Number of cyclic permutations of the labels."""

SAMPLE_SIZE = 24
"""Answers judged under every rotation to estimate the prior. A choice: priors from half as many
answers differ little (benchmarks/RESULTS.md)."""

TIE = 1e-9
"""Relative difference of probabilities below which they are equal."""

LogliksByRotation = Mapping[int, Sequence[float]]
"""Log-likelihoods of the labels by rotation, in `Label`'s order."""

PositionPrior = NDArray[np.float64]
"""Probability that each position of the list attracts by itself, first to last; sums to 1."""


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """Effect of the labels' order on the answers that were judged under every rotation.

    Attributes:
        answers: their number.
        inconsistent: answers whose likeliest label is not the same in all rotations.
        corrected: answers whose label in the rubric's own order differs from the mean's.
        prior: position prior, first to last; 1/4 each if the order has no effect.
    """

    answers: int
    inconsistent: int
    corrected: int
    prior: tuple[float, ...]


def mean_over_rotations(logliks: LogliksByRotation) -> tuple[float, ...]:
    """Return the labels' mean probabilities over all rotations, in `Label`'s order.

    Cyclic permutation, Zheng et al. (ICLR 2024).
    """
    return tuple(float(p) for p in _probabilities(logliks).mean(axis=0))


def estimate_prior(answers: Iterable[LogliksByRotation]) -> PositionPrior:
    """Return the position prior, estimated from at least one answer judged under every rotation.

    PriDe, Zheng et al. (ICLR 2024): for each answer, the mean over rotations of the log-probability
    of the label at each position, normalised; then the mean over answers.
    """
    priors = []
    labels = np.arange(ROTATIONS)
    for logliks in answers:
        logs = np.log(np.maximum(_probabilities(logliks), np.finfo(float).tiny))
        by_position = [logs[t, (labels + t) % ROTATIONS] for t in labels]
        priors.append(_softmax(np.mean(by_position, axis=0)))
    return np.asarray(np.mean(priors, axis=0), np.float64)


def remove_prior(logliks: Sequence[float], prior: PositionPrior | None) -> tuple[float, ...]:
    """Return the labels' probabilities in the rubric's own order, divided by the position prior.

    PriDe, Zheng et al. (ICLR 2024). Without a prior the probabilities are only normalised.
    """
    logs = np.asarray(logliks, np.float64)
    return tuple(float(p) for p in _softmax(logs if prior is None else logs - np.log(prior)))


def likeliest(probabilities: Sequence[float]) -> list[int]:
    """Return the index of the highest probability; several indices if they are equal.

    Probabilities that differ by less than the rounding error of their computation are equal.
    """
    top = max(probabilities)
    return [i for i, p in enumerate(probabilities) if isclose(p, top, rel_tol=TIE)]


def is_uniform(logliks: Sequence[float]) -> bool:
    """Whether all labels are equally likely."""
    return len(likeliest(remove_prior(logliks, None))) == len(logliks)


def is_finite(logliks: Sequence[float]) -> bool:
    """Whether a verdict can be computed from the log-likelihoods."""
    return bool(np.isfinite(logliks).all())


def order_effect(answers: Iterable[LogliksByRotation]) -> OrderEffect | None:
    """Return the effect of the labels' order; None if no answer was judged under every rotation."""
    complete = [logliks for logliks in answers if len(logliks) == ROTATIONS]
    if not complete:
        return None
    by_rotation = [[int(np.argmax(logliks[t])) for t in range(ROTATIONS)] for logliks in complete]
    by_mean = [int(np.argmax(mean_over_rotations(logliks))) for logliks in complete]
    return OrderEffect(
        answers=len(complete),
        inconsistent=sum(len(set(labels)) > 1 for labels in by_rotation),
        corrected=sum(
            labels[0] != label for labels, label in zip(by_rotation, by_mean, strict=True)
        ),
        prior=tuple(float(p) for p in estimate_prior(complete)),
    )


def _probabilities(logliks: LogliksByRotation) -> NDArray[np.float64]:
    """Return the normalised probabilities, one row per rotation, labels in `Label`'s order."""
    return np.stack([_softmax(np.asarray(logliks[t])) for t in range(ROTATIONS)])


def _softmax(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logs - logs.max())
    return np.asarray(powers / powers.sum(), np.float64)
