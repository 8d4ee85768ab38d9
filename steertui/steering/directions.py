"""Directions from contrast pairs of hidden states, for one layer at a time; without I/O.

Arrays `positive` and `negative` have one row per pair, shape (pairs, width). Every direction has
the norm of the mean difference, so that methods and controls can be compared at equal multipliers.
"""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_FOLDS = 5
"""Folds of the cross-validation of `separation`."""

PENALTY = 1.0
"""Weight of the squared norm in the probe's loss (inverse of scikit-learn's C)."""

FLIPPED = 0.5
"""Share of pairs whose sides are exchanged by the control "shuffled"."""

Method = Callable[[Floats, Floats], Floats]


def mean_direction(positive: Floats, negative: Floats) -> Floats:
    """Return the mean of the differences, shape (width,)."""
    return cast(Floats, np.mean(positive - negative, axis=0))


def principal_direction(positive: Floats, negative: Floats) -> Floats:
    """Return the first principal component of the differences, not centred, shape (width,).

    This is the direction of repeng's method `pca_center` and of llama.cpp's cvector-generator. Its
    sign is that of the majority of the pairs' differences, or of their mean if they are even.
    """
    differences = positive - negative
    # Eigenvectors of the small matrix of inner products: pairs are fewer than the width.
    _, vectors = np.linalg.eigh(differences @ differences.T)
    unit = _unit(differences.T @ vectors[:, -1])
    projected = differences @ unit
    votes = np.sign(projected).sum()
    sign = -1.0 if (votes or projected.sum()) < 0 else 1.0
    return unit * sign * np.linalg.norm(mean_direction(positive, negative))


def probe_direction(positive: Floats, negative: Floats) -> Floats:
    """Return the normal of a linear probe that separates the sides, shape (width,).

    The probe is a logistic regression with an intercept and a penalty `PENALTY` / 2 · |w|², on
    states that are centred and divided by their root mean square.
    """
    from scipy.optimize import minimize

    states = np.concatenate([positive, negative])
    sides = np.repeat([1.0, -1.0], len(positive))
    centred = states - states.mean(axis=0)
    scale = np.sqrt((centred**2).mean()) or 1.0
    # The optimum is a combination of the states, so the search is among their coordinates.
    left, lengths, axes = np.linalg.svd(centred / scale, full_matrices=False)
    coordinates = left * lengths

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = sides * (coordinates @ weights[:-1] + weights[-1])
        slopes = -sides / (1.0 + np.exp(np.clip(margins, -500.0, 500.0)))
        gradient = np.append(coordinates.T @ slopes + PENALTY * weights[:-1], slopes.sum())
        penalty = PENALTY / 2 * float(weights[:-1] @ weights[:-1])
        return float(np.logaddexp(0.0, -margins).sum()) + penalty, gradient

    found = minimize(loss, np.zeros(coordinates.shape[1] + 1), jac=True, method="L-BFGS-B")
    weights: Floats = found.x[:-1]
    unit = _unit(axes.T @ weights)
    return unit * np.linalg.norm(mean_direction(positive, negative))


METHODS: dict[str, Method] = {
    "mean": mean_direction,
    "pca": principal_direction,
    "probe": probe_direction,
}


def random_direction(positive: Floats, negative: Floats, random: np.random.Generator) -> Floats:
    """Return a direction with the norm of the mean difference, uniform over all directions."""
    length = np.linalg.norm(mean_direction(positive, negative))
    return _unit(random.standard_normal((positive.shape[1],))) * length


def shuffled_direction(positive: Floats, negative: Floats, flips: NDArray[np.bool_]) -> Floats:
    """Return the mean difference after the sides of the flipped pairs are exchanged.

    It is scaled to the norm of the mean difference. `flips` has the shape (pairs,).
    """
    length = np.linalg.norm(mean_direction(positive, negative))
    signs = np.where(flips, -1.0, 1.0)[:, None]
    shuffled: Floats = (signs * (positive - negative)).mean(axis=0)
    return _unit(shuffled) * length


def draw_flips(pairs: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return which pairs are flipped: a random choice of a share `FLIPPED` of them."""
    flips = np.arange(pairs) < round(FLIPPED * pairs)
    random.shuffle(flips)
    return flips


def separation(positive: Floats, negative: Floats, groups: Sequence[str], method: Method) -> float:
    """Return the area under the ROC curve on held-out pairs, from 0 to 1; NaN for one group.

    All pairs of a group, such as a scenario, are held out together. A direction is trained on the
    other folds, and the area is computed within the held-out fold, since projections on different
    directions cannot be compared. The result is the mean over the folds, weighted by the number of
    comparisons.
    """
    names = list(dict.fromkeys(groups))
    folds = min(MAX_FOLDS, len(names) // 2)
    if folds < 2:
        return float("nan")
    fold = {name: i % folds for i, name in enumerate(names)}
    member = np.array([fold[group] for group in groups])
    wins = total = 0.0
    for number in range(folds):
        held = member == number
        direction = method(positive[~held], negative[~held])
        difference = (positive[held] @ direction)[:, None] - (negative[held] @ direction)[None, :]
        wins += float((difference > 0).sum() + 0.5 * (difference == 0).sum())
        total += difference.size
    return wins / total


def _unit(direction: Floats) -> Floats:
    length = np.linalg.norm(direction)
    return direction / length if length else direction
